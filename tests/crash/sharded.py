"""Schedulers over two shards, whose programs the tests end, stop and look at."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from actors import Scheduler
from actors.shards.settings import SupervisionSettings
from protocol.wallet import Wallet
from tests.crash.load import SMALL_UPLOADS

SHARDS = 2

PATIENT = SupervisionSettings(
    beat_seconds=0.1, silence_seconds=120.0, backoff_seconds=0.01, max_restarts=1000
)
"""Nothing is killed for being slow, and however often something ends, it is started again."""


def opened(root: Path, wallets: Sequence[Wallet], **options) -> Scheduler:
    """Open a store of two shards. No request is to end for being late."""
    chosen = {"supervision": PATIENT, "deadline": 60, "settings": SMALL_UPLOADS, **options}
    return Scheduler.open(root, wallets, shards=SHARDS, **chosen)


def starts(scheduler: Scheduler) -> list[int]:
    """How often each shard was started."""
    return [shard.generation for shard in scheduler.status().shards]


def pid_of(scheduler: Scheduler, shard: int) -> int:
    """The program of a shard, once it is ready."""
    # One that is slow to answer counts as starting.
    pids = iter(lambda: scheduler.status().shards[shard].pid, ...)
    return next(pid for pid in pids if pid is not None)


def wait_until_stopped(pid: int) -> None:
    """Wait until a child of this program is stopped by a signal."""
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)


def stop(pid: int) -> None:
    """Stop a child of this program."""
    os.kill(pid, signal.SIGSTOP)
    wait_until_stopped(pid)


def is_stopped(pid: int) -> bool:
    """Tell whether a program is stopped by a signal."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
