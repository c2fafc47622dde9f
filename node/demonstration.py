"""The demonstration: signed messages in every confirmation mode, then checked from disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from actors import Scheduler, SchedulingMode, Stage
from actors.uploader import Uploader
from node.peers.bundler import BundlerUploader
from node.peers.client import Client
from node.peers.rules import Rules
from node.sandbox import Sandbox
from protocol.assignment import Assignment
from protocol.ids import Id, digest_id
from protocol.message import Message
from protocol.wallet import Wallet
from storage.verify import Report

MODES = (
    SchedulingMode.AGGRESSIVE,
    SchedulingMode.LOCAL_CONFIRMATION,
    SchedulingMode.REMOTE_CONFIRMATION,
)
MESSAGES_PER_MODE = 3
PATIENCE_SECONDS = 30.0
"""Longer than the scheduler's own deadline, by which every request has its answer."""

MODULE = digest_id(b"nothing is computed in a demonstration")


class Watch:
    """One message on its way: the stages it reaches, and when.

    Attributes:
        mode: the confirmation that is waited for.
    """

    def __init__(self, scheduler: Scheduler, item: bytes, mode: SchedulingMode) -> None:
        """Hand the item over."""
        self.mode = mode
        self._ended = threading.Event()
        self._reached: dict[Stage, float] = {}
        self._started = time.perf_counter()
        self._ticket = scheduler.schedule(item)
        for stage in Stage:
            self._ticket.future(stage).add_done_callback(partial(self._mark, stage))

    def confirmed(self) -> Assignment:
        """Wait for the stage that the mode names."""
        return self._ticket.future(self.mode.stage).get(timeout=PATIENCE_SECONDS)

    def published(self) -> Assignment:
        """Wait for the last stage; then all latencies are known too."""
        self._ended.wait(PATIENCE_SECONDS)
        return self._ticket.published.get(timeout=0)

    def milliseconds(self, stage: Stage) -> float:
        """Return how long the message took to reach a stage."""
        return round((self._reached[stage] - self._started) * 1000, 1)

    def _mark(self, stage: Stage, _: object) -> None:
        self._reached[stage] = time.perf_counter()
        if stage is Stage.PUBLISHED:
            self._ended.set()


def demonstrate(data: Path, wallet: Wallet, user: Wallet, shards: int = 0) -> list[Watch]:
    """Spawn a process and send it messages in every mode; return once all are published.

    They are published over HTTP, to a stand-in for a bundler that runs meanwhile.

    Args:
        data: folder of the store.
        wallet: the scheduler's.
        user: somebody else's, who signs the process and the messages.
        shards: that the store has or gets, as `Scheduler.open` takes them.

    Raises:
        SchedulerError: a message was not scheduled, or not published.
    """
    with (
        _bundler() as uploader,
        Scheduler.open(data, wallet, uploader=uploader, shards=shards) as scheduler,
    ):
        return _sent(scheduler, wallet.address, user)


@contextmanager
def _bundler() -> Iterator[Uploader]:
    with (
        Sandbox() as sandbox,
        Client(Rules().trusting(sandbox.url)) as client,
        closing(BundlerUploader(client, sandbox.url)) as uploader,
    ):
        yield uploader


def _sent(scheduler: Scheduler, address: Id, user: Wallet) -> list[Watch]:
    spawn = Watch(scheduler, process_item(user, address), scheduler.mode)
    process = spawn.confirmed().process
    watches = [spawn]
    for mode in sorted(MODES * MESSAGES_PER_MODE, key=MODES.index):
        watch = Watch(scheduler, message_item(user, process, len(watches)), mode)
        watch.confirmed()
        watches.append(watch)
    for watch in watches:
        watch.published()
    return watches


def check(data: Path, answered: Sequence[Assignment]) -> tuple[int, Report]:
    """Open the store again and verify all of it.

    Returns:
        How many of the answers are on disk exactly as they were given, and the report.
    """
    with Scheduler.open(data, mode=SchedulingMode.DISABLED) as scheduler:
        kept = sum(scheduler.assignment(one.process, one.slot) == one for one in answered)
        return kept, scheduler.verify()


def process_item(user: Wallet, scheduler: Id) -> bytes:
    """Return a signed process that names its scheduler."""
    keys = {
        "Data-Protocol": "ao",
        "Variant": "ao.N.1",
        "Type": "Process",
        "Scheduler": str(scheduler),
        "Module": str(MODULE),
        "Name": "demonstration",
    }
    return Message.create(keys, user).encoded


def message_item(user: Wallet, process: Id, number: int) -> bytes:
    """Return a signed message for a process."""
    keys = {
        "Data-Protocol": "ao",
        "Variant": "ao.N.1",
        "Type": "Message",
        "Action": "Eval",
        "target": str(process),
        "data": f"return {number}",
    }
    return Message.create(keys, user).encoded
