"""Time for assignments: the wall clock, obeyed only while it is believable."""

from __future__ import annotations

import time
from collections.abc import Callable

from actors.events import log
from protocol.errors import ClockAhead

Clock = Callable[[], int]
"""Milliseconds since 1970."""

MAX_JUMP_MS = 24 * 3600 * 1000

_PASSING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux's monotonic clock stands still while the machine is suspended; this one does not."""


def system_clock() -> int:
    """Return the wall clock in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def time_passed() -> float:
    """Return seconds that only ever grow; a suspended machine's time counts where it can."""
    return time.clock_gettime(_PASSING)


class TimeKeeper:
    """Read the clock, and refuse a reading that time cannot explain.

    A reading is believed when it is at most a day ahead of the furthest believed one plus
    the monotonic time that passed since. Setting the clock right again, or reopening, ends
    the refusal. A clock that went back is obeyed, and may come back: assignments keep the
    time of the slot before, so they never go back with it.
    """

    def __init__(
        self, clock: Clock = system_clock, monotonic: Callable[[], float] = time_passed
    ) -> None:
        self._clock = clock
        self._monotonic = monotonic
        # The reading that was furthest ahead, and the moment it was taken.
        self._furthest = (clock(), monotonic())

    def now(self) -> int:
        """Return milliseconds since 1970.

        Raises:
            ClockAhead: the clock jumped ahead by more than a day.
        """
        reading, instant = self._clock(), self._monotonic()
        furthest, since = self._furthest
        explained = furthest + int((instant - since) * 1000)
        if reading > explained + MAX_JUMP_MS:
            log.warning("clock_ahead", reading_ms=reading, expected_ms=explained)
            raise ClockAhead(f"the clock says {reading} ms where about {explained} ms was expected")
        if reading > explained:
            # One assignment of a tuple: other threads see both halves or neither.
            self._furthest = (reading, instant)
        return reading
