"""Nodes of several programs, and a look at each of them."""

from __future__ import annotations

import os
import select
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

from storage.layout import Layout
from tests.node.serving.living import PATIENCE_SECONDS
from tests.node.serving.nodes import NodeProgram

TRACKER = "resource_tracker"
"""A program of Python's own that goes with the one that was started."""


class Family(NodeProgram):
    """`ao-scheduler serve --shards 2 --gateways 2`, unless other numbers are given.

    Attributes:
        data: folder of the store.
        temporary: where it may make folders that go when it ends.
    """

    def __init__(
        self,
        data: Path,
        wallet: Path,
        *arguments: str,
        shards: int = 2,
        gateways: int = 2,
        **settings: str,
    ) -> None:
        # One that is killed leaves something behind there.
        self._made = None if "TMPDIR" in settings else mkdtemp(prefix="node-")
        self.temporary = Path(settings.setdefault("TMPDIR", self._made))
        numbers = ["--shards", str(shards), "--gateways", str(gateways)]
        super().__init__(data, wallet, *numbers, *arguments, **settings)
        self.data = data
        self._shards = shards

    def __exit__(self, *problem: object) -> None:
        super().__exit__(*problem)
        if self._made is not None:
            shutil.rmtree(self._made, ignore_errors=True)

    @property
    def shards(self) -> list[int]:
        """The programs that hold the shards, by number."""
        locks = [Layout(self.data).lock(number) for number in range(self._shards)]
        return [int(lock.read_bytes().split()[0]) for lock in locks]

    @property
    def gateways(self) -> list[int]:
        """The programs that speak HTTP."""
        shards = self.shards if self._shards else []
        return [pid for pid in self.children if pid not in shards]

    @property
    def children(self) -> list[int]:
        """All programs that the first one has started and that have not ended."""
        return [pid for pid in map(int, running()) if is_child(pid, self.pid)]

    def wait_for_gateways(self, count: int) -> None:
        """Wait until so many gateways listen."""
        port = f":{int(self.url.rpartition(':')[2]):04X}"
        while listeners(port) != count:
            pass


def listeners(port: str) -> int:
    """How many sockets listen at a port, which is given in hexadecimal digits."""
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return sum(one[1].endswith(port) and one[3] == "0A" for one in sockets)


def running() -> Iterator[str]:
    """The programs of this machine."""
    return (file.name for file in Path("/proc").iterdir() if file.name.isdigit())


def is_child(pid: int, parent: int) -> bool:
    """Tell whether a program runs and was started by another one, for work of its own."""
    try:
        state, above = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
        told = Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return int(above) == parent and state != "Z" and TRACKER not in told


def kill(pid: int) -> None:
    """End a program at once."""
    os.kill(pid, signal.SIGKILL)


def wait_for_end(pids: list[int]) -> None:
    """Wait until programs that are nobody's children here have ended."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            ended, _, _ = select.select([descriptor], [], [], PATIENCE_SECONDS)
        finally:
            os.close(descriptor)
        assert ended, f"{pid} goes on"
