"""Traps at the points of a message's way, in whichever program somebody comes to them."""

from __future__ import annotations

import os
import select
import signal
import threading
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from actors.probe import Point
from tests.crash.probes import Broken


class Deed(Enum):
    """What happens to the program that steps into a trap."""

    NOTHING = b"."
    KILL = b"k"
    STOP = b"s"
    RAISE = b"r"


class Traps:
    """Lay traps; each is stepped into once, however many programs there are.

    Attributes:
        probe: what programs are given.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.probe = Trapped(folder)
        self._laid: dict[Point, int] = {}
        for point in Point:
            os.mkfifo(folder / point)
            # Held open, so that what is laid stays.
            self._laid[point] = os.open(folder / point, os.O_RDWR)

    def lay(self, point: Point, deed: Deed, visit: int = 1) -> None:
        """Let something happen at a visit of a point, counted over all programs from now on."""
        os.write(self._laid[point], Deed.NOTHING.value * (visit - 1) + deed.value)

    def sprung(self, point: Point) -> bool:
        """Tell whether nothing is laid at a point, or no more."""
        return not select.select([self._laid[point]], [], [], 0)[0]

    def close(self) -> None:
        """Take all of them away."""
        for descriptor in self._laid.values():
            os.close(descriptor)


@dataclass(frozen=True)
class Trapped:
    """A probe that steps into what is laid, once more in each program that it is pickled into."""

    folder: Path

    def __call__(self, point: Point) -> None:
        match self._taken(point):
            case Deed.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            case Deed.STOP:
                # Sent to the program, it might reach this thread a little later.
                signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
            case Deed.RAISE:
                raise Broken(f"broken at {point}")

    def _taken(self, point: Point) -> Deed:
        descriptor = os.open(self.folder / point, os.O_RDONLY | os.O_NONBLOCK)
        try:
            return Deed(os.read(descriptor, 1) or Deed.NOTHING.value)
        except BlockingIOError:
            return Deed.NOTHING
        finally:
            os.close(descriptor)
