"""The node that `bench http` measures: a program of its own, started as an operator would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from actors import Scheduler, SchedulingMode
from bench.accounting import Promise, settle

START_SECONDS = 30.0
POLL_SECONDS = 0.05
STOP_SECONDS = 30.0

SETTINGS = {
    "AO_SCHEDULER_LIMITS_RATE_PER_ADDRESS": "0",
    "AO_SCHEDULER_LIMITS_RATE_PER_SIGNER": "0",
    "AO_SCHEDULER_LIMITS_HEADER_SECONDS": "60",
    "AO_SCHEDULER_STORE_SHARDS": "0",
}
"""One address and one signer send the whole load, and connections wait for their turn. What is
measured is one program."""


class NotStarted(Exception):
    """The node did not begin to serve."""


class ServedNode:
    """A running node.

    Attributes:
        url: where it listens.
        store: its folder.
    """

    def __init__(self, program: subprocess.Popen[bytes], url: str, store: Path) -> None:
        self._program = program
        self.url = url
        self.store = store

    def cpu_seconds(self) -> float:
        """Return the CPU time it has used so far, all threads. Source: proc_pid_stat(5)."""
        stat = Path(f"/proc/{self._program.pid}/stat").read_text("ascii")
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def settle(self, promised: Iterable[Promise]) -> None:
        """Wait until all that was promised is published.

        Its store is asked, and not its metrics: answering would cost the node CPU time.

        Raises:
            Unaccounted: it is not, for long.
        """
        with Scheduler.open(self.store, mode=SchedulingMode.DISABLED) as reader:
            settle(reader, promised)

    def wait_until_ready(self) -> None:
        """Wait for the first success of its readiness check.

        Raises:
            NotStarted: it ended, or took too long.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._program.poll() is None:
            try:
                if httpx.get(f"{self.url}/ready", trust_env=False).is_success:
                    return
            except httpx.TransportError:
                time.sleep(POLL_SECONDS)
        raise NotStarted(f"the node does not serve; exit code {self._program.poll()}")

    def stop(self) -> None:
        """Let it finish what is under way, and end."""
        self._program.send_signal(signal.SIGTERM)
        self._program.wait(STOP_SECONDS)


@contextmanager
def served(folder: Path, *flags: str) -> Iterator[ServedNode]:
    """Serve a store below `folder` (`store`, `wallet.json`) until the block ends.

    Args:
        folder: where store and wallet are, or are created.
        flags: more options of `ao-scheduler serve`.
    """
    store = folder / "store"
    shared = ["--data", str(store), "--wallet", str(folder / "wallet.json")]
    command = [sys.executable, "-m", "node.cli", "serve", "--port", "0", *shared, *flags]
    with _announced(command) as (program, url):
        node = ServedNode(program, url, store)
        node.wait_until_ready()
        yield node
        node.stop()


@contextmanager
def sandboxed() -> Iterator[str]:
    """Run the stand-in for a bundler until the block ends; gives its URL.

    Raises:
        NotStarted: it ended at once.
    """
    with _announced([sys.executable, "-m", "node.cli", "sandbox", "--port", "0"]) as (_, url):
        yield url


@contextmanager
def _announced(command: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    # The first line of each of these programs ends with its URL.
    with subprocess.Popen(  # noqa: S603 - our own
        command, env={**os.environ, **SETTINGS}, stdout=subprocess.PIPE
    ) as program:
        try:
            line = program.stdout.readline().split() if program.stdout else []
            if not line:
                raise NotStarted(f"{command[3]} ended at once; exit code {program.wait()}")
            yield program, line[-1].decode()
        finally:
            program.kill()
