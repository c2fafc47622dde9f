"""How often one program is started again: at once, then later and later, then no more."""

from __future__ import annotations

from collections import deque

from actors.shards.settings import SupervisionSettings


class Restarts:
    """Count the restarts of one program, and say when the next one is due.

    Each program has a count of its own. So the limit means the same with one shard as with
    sixteen, and what ends all of them at once, such as a full disk, counts once for each.
    """

    def __init__(self, settings: SupervisionSettings) -> None:
        self.total = 0
        self._settings = settings
        self._recent: deque[float] = deque()

    def wait(self, now: float, *, was_ready: bool) -> float | None:
        """Count one restart; return the seconds until it is due, or None past the limit.

        Args:
            now: monotonic seconds.
            was_ready: whether the program had become ready in the life that ended. Starts
                that come to nothing count however long each takes.
        """
        settings, recent = self._settings, self._recent
        while was_ready and recent and now - recent[0] > settings.restart_window_seconds:
            recent.popleft()
        if len(recent) >= settings.max_restarts:
            return None
        recent.append(now)
        self.total += 1
        if len(recent) == 1:
            return 0.0
        # Not computed beyond what the limit can be reached with: powers grow fast.
        doubled = settings.backoff_seconds * 2.0 ** min(len(recent) - 2, 32)
        return min(settings.backoff_limit_seconds, doubled)

    def __repr__(self) -> str:
        return f"<Restarts {len(self._recent)} recent of {self.total}>"
