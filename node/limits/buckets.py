"""Token buckets: how often each of many keys may do something."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

from node.limits.levels import Levels, OwnLevels

BURST_SECONDS = 2.0
"""How many seconds' worth may come at once after a pause."""


class Buckets:
    """Tell each key how long it has to wait; not safe to use from several threads.

    The bucket of a key is one number, the time at which it will be full again (the generic
    cell rate algorithm, ITU-T I.371): an unknown key has a full bucket.
    """

    def __init__(
        self,
        rate: float,
        *,
        burst_seconds: float = BURST_SECONDS,
        levels: Levels | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with all buckets full, or as full as `levels` knows them.

        Args:
            rate: tokens a second and key, above 0.
            burst_seconds: a bucket holds as many tokens as come in this time, at least one.
            levels: where it is kept; in memory unless given.
            clock: seconds, never going back.
        """
        self._interval = 1 / rate
        self._depth = max(burst_seconds, self._interval)
        self._levels = OwnLevels() if levels is None else levels
        self._clock = clock

    def wait(self, key: Hashable) -> float:
        """Return the seconds until `key` has a token; 0 when it has one now."""
        now = self._clock()
        full_at = max(self._levels.get(key), now)
        # A rounding error must not cost the last token of a burst.
        missing = full_at - now + self._interval - self._depth
        return missing if missing > self._interval * 1e-6 else 0.0

    def take(self, key: Hashable) -> float:
        """Take a token if there is one; return the seconds until there is, or 0 if it was taken."""
        wait = self.wait(key)
        if not wait:
            self.spend(key)
        return wait

    def spend(self, key: Hashable) -> None:
        """Take a token even if there is none; the debt delays the next one."""
        now = self._clock()
        self._levels.set(key, max(self._levels.get(key), now) + self._interval, now)
