"""A program that kills itself at every point of a message's way, in every mode."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from actors import SchedulingMode
from actors.probe import Point
from protocol.wallet import Wallet
from tests.crash.program import Program
from tests.crash.recovery import recover
from tests.crash.telling import Item, Job
from tests.crash.testimony import Testimony

Crash = Callable[[Point, SchedulingMode, int], None]

MODES = (
    SchedulingMode.AGGRESSIVE,
    SchedulingMode.LOCAL_CONFIRMATION,
    SchedulingMode.REMOTE_CONFIRMATION,
)
PER_SLOT = {Point.SLOT_GIVEN, Point.AFTER_SIGNING}
"""Points that are passed once for each slot; the others are passed once for several."""

CHOSEN_CASES = [
    (point, mode, (1, 2, 3)[(row + column) % 3] * (4 if point in PER_SLOT else 1))
    for row, point in enumerate(Point)
    for column, mode in enumerate(MODES)
]
"""Every point in every mode, at one of its calls."""

ALL_CASES = [
    (point, mode, call)
    for point in Point
    for mode in MODES
    for call in ((1, 2, 5, 11, 20) if point in PER_SLOT else (1, 2, 3))
]


@pytest.fixture
def crash(
    testimony: Testimony,
    items: tuple[Item, ...],
    wallets: tuple[Wallet, ...],
    wallet_files: tuple[Path, ...],
) -> Crash:
    """Kill a program at a call of a point, and hold what it said against what it left."""

    def kill_and_judge(point: Point, mode: SchedulingMode, call: int) -> None:
        sent = tuple(replace(item, mode=mode) for item in items)
        job = Job(testimony.root, wallet_files, sent, point=point, call=call)
        with Program(job, testimony.root.parent) as program:
            ending = program.listen_to_its_end()
        assert ending == -signal.SIGKILL, (
            f"exit code {ending} before {point} was passed {call} times"
        )
        testimony.hear(program.records)
        recover(testimony, wallets, items)

    return kill_and_judge


def named(case: tuple[Point, SchedulingMode, int]) -> str:
    point, mode, call = case
    return f"{mode.value}-{point.value}-{call}"


@pytest.mark.guarantee("S1", "S2", "S3", "S4", "S5", "S6", "S7", "S13", "L3")
@pytest.mark.parametrize("case", CHOSEN_CASES, ids=named)
def test_what_a_killed_program_said_is_true(crash: Crash, case) -> None:
    """Killed at any point in any mode: its answers hold, and what it left undone is finished."""
    crash(*case)


@pytest.mark.slow
@pytest.mark.parametrize("case", ALL_CASES, ids=named)
def test_what_any_killed_program_said_is_true(crash: Crash, case) -> None:
    """The same at every early and many a late call of every point."""
    crash(*case)
