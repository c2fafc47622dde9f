"""How tests hear programs, hold them up, and find out that they are gone."""

from __future__ import annotations

import fcntl
import os
import select
import threading
import time
from collections.abc import Callable
from pathlib import Path

from actors.shards.settings import SupervisionSettings
from tests.actors.outside import PATIENCE

CALM = SupervisionSettings(beat_seconds=0.1, silence_seconds=PATIENCE, stop_seconds=PATIENCE)
"""However busy the machine, nothing is killed for being slow."""


class Line:
    """A FIFO that programs write lines into.

    Attributes:
        path: of the FIFO.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        # Also for writing, so that it never ends.
        self._descriptor = os.open(path, os.O_RDWR)
        self._heard = b""

    def hear(self) -> list[str]:
        """Wait for the next line, and return its words."""
        while b"\n" not in self._heard:
            ready, _, _ = select.select([self._descriptor], [], [], PATIENCE)
            assert ready, "nobody says anything"
            self._heard += os.read(self._descriptor, 4096)
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode().split()

    def close(self) -> None:
        """Hear nothing more."""
        os.close(self._descriptor)


class Bar:
    """Holds up whoever comes to a path, until it is lifted.

    Attributes:
        path: what programs pass it with, see `children.pass_bar`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def lift(self) -> None:
        """Let everybody pass from now on. Idempotent."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Leave it lifted."""
        os.close(self._descriptor)


def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    pause, end = threading.Event(), time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it does not come to that"
        pause.wait(0.01)


class Watched:
    """A program that may end, and whose PID is not mistaken for another's."""

    def __init__(self, pid: int) -> None:
        self._descriptor = os.pidfd_open(pid)

    @property
    def gone(self) -> bool:
        """Whether it has ended."""
        return bool(select.select([self._descriptor], [], [], 0)[0])

    def wait(self) -> None:
        """Wait until it has ended."""
        assert select.select([self._descriptor], [], [], PATIENCE)[0], "it goes on"

    def close(self) -> None:
        """Watch no more."""
        os.close(self._descriptor)
