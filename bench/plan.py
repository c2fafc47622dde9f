"""What `bench modes` is to measure, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from actors import SchedulingMode

MODES = (
    SchedulingMode.AGGRESSIVE,
    SchedulingMode.LOCAL_CONFIRMATION,
    SchedulingMode.REMOTE_CONFIRMATION,
)


@dataclass(frozen=True, slots=True)
class Case:
    """What one row measures."""

    mode: SchedulingMode
    processes: int
    in_flight: int

    def __str__(self) -> str:
        return f"{self.mode.value}, processes: {self.processes}, in flight: {self.in_flight}"


@dataclass(frozen=True, slots=True)
class Plan:
    """All rows, and the conditions they share.

    Attributes:
        modes, processes, in_flight: every combination is a row.
        seconds: length of a row.
        floor_seconds: length of a slice of the floor; one before and one after each row.
        upload_delay: seconds that each call of the uploader takes.
        crypto: False to measure everything but signing and verifying.
    """

    modes: Sequence[SchedulingMode] = MODES
    processes: Sequence[int] = (1, 16)
    in_flight: Sequence[int] = (1, 16, 64)
    seconds: float = 3.0
    floor_seconds: float = 0.4
    upload_delay: float = 0.02
    crypto: bool = True

    def cases(self) -> list[Case]:
        """Return the rows to measure."""
        return [Case(*case) for case in product(self.modes, self.processes, self.in_flight)]


QUICK = Plan(in_flight=(1, 64), seconds=0.8, floor_seconds=0.15)
"""Done in less than 40 seconds on two cores."""
