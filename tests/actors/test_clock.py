from __future__ import annotations

import time

import pytest

from actors.clock import MAX_JUMP_MS, TimeKeeper, system_clock
from protocol.errors import ClockAhead

NOON = 1_700_000_000_000
HOUR = 3_600_000


class Clocks:
    def __init__(self) -> None:
        self.ms = NOON
        self.seconds = 100.0
        self.keeper = TimeKeeper(lambda: self.ms, lambda: self.seconds)

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.ms += int(1000 * seconds)


@pytest.fixture
def clocks():
    return Clocks()


def test_the_clock_is_read(clocks) -> None:
    """An ordinary reading is passed on as it is."""
    clocks.wait(5)
    assert clocks.keeper.now() == NOON + 5000


@pytest.mark.guarantee("S8")
def test_a_jump_of_more_than_a_day_is_refused(clocks) -> None:
    """A clock that jumps ahead is reported, not obeyed."""
    clocks.ms += MAX_JUMP_MS + 1
    with pytest.raises(ClockAhead):
        clocks.keeper.now()


def test_a_jump_of_a_day_is_obeyed(clocks) -> None:
    """Up to a day the clock may have been set right."""
    clocks.ms += MAX_JUMP_MS
    assert clocks.keeper.now() == NOON + MAX_JUMP_MS


@pytest.mark.guarantee("L3")
def test_setting_the_clock_right_ends_the_refusal(clocks) -> None:
    """When the fault clears, scheduling goes on by itself."""
    clocks.ms += 2 * MAX_JUMP_MS
    with pytest.raises(ClockAhead):
        clocks.keeper.now()
    clocks.ms -= 2 * MAX_JUMP_MS
    assert clocks.keeper.now() == NOON


def test_reopening_believes_the_clock(clocks) -> None:
    """An operator who starts the scheduler again says that the clock is right."""
    clocks.ms += 2 * MAX_JUMP_MS
    assert TimeKeeper(lambda: clocks.ms, lambda: clocks.seconds).now() == clocks.ms


def test_a_quiet_week_is_no_jump(clocks) -> None:
    """Time that passed on the monotonic clock too is believed."""
    clocks.wait(7 * 24 * 3600)
    assert clocks.keeper.now() == NOON + 7 * MAX_JUMP_MS


@pytest.mark.guarantee("L3")
def test_a_clock_that_went_back_may_come_back(clocks) -> None:
    """Three days back and forth again is no jump ahead of where time had been."""
    clocks.ms -= 3 * MAX_JUMP_MS
    assert clocks.keeper.now() == NOON - 3 * MAX_JUMP_MS
    clocks.ms += 3 * MAX_JUMP_MS
    assert clocks.keeper.now() == NOON


def test_a_suspended_machine_is_no_jump(monkeypatch) -> None:
    """The time that is believed to have passed is counted while suspended, too."""
    asked = []
    monkeypatch.setattr(time, "clock_gettime", lambda clock: asked.append(clock) or 0.0)
    TimeKeeper().now()
    assert set(asked) == {time.CLOCK_BOOTTIME}


def test_small_steps_ahead_add_up(clocks) -> None:
    """Each believed reading is the measure of the next one."""
    for _ in range(3):
        clocks.ms += 20 * HOUR
        clocks.keeper.now()
    assert clocks.keeper.now() == NOON + 60 * HOUR


def test_the_system_clock_counts_milliseconds() -> None:
    """The default is the wall clock, in the unit that assignments carry."""
    before = time.time_ns()
    reading = system_clock()
    assert before // 1_000_000 <= reading <= time.time_ns() // 1_000_000
