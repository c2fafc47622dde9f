"""Which task comes next: made as workers become free, so that memory stays bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from protocol.ids import Id
from storage.verify.tasks import Batch, Foundation, Outcome, Survey, Task, batches

PAGES_AHEAD = 2
"""Surveyed pages to have in hand, so that no worker waits for a survey."""


class Plan:
    """Hand out tasks and take in what came of them.

    Attributes:
        done: slots that are done with.
        total: slots there are, as far as surveyed.
    """

    def __init__(self, shards: int, process: Id | None) -> None:
        """Plan for a whole store of `shards` shards, or for one process in any of them."""
        whole = process is None
        self._urgent: deque[Task] = deque(Foundation(n) for n in range(shards) if whole)
        self._surveys = deque(Survey(shard, only=process) for shard in range(shards))
        self._pages: deque[Iterator[Batch]] = deque()
        self._totals: dict[int, int] = {}
        self.done = 0

    @property
    def total(self) -> int:
        """Slots there are; a writer may add more, which are not checked."""
        return max(self.done, sum(self._totals.values()))

    def next(self) -> Task | None:
        """Return a task, or None when there is none before another outcome comes in."""
        if self._surveys and len(self._pages) < PAGES_AHEAD:
            return self._surveys.popleft()
        if self._urgent:
            return self._urgent.popleft()
        while self._pages:
            batch = next(self._pages[0], None)
            if batch is not None:
                return batch
            self._pages.popleft()
        return self._surveys.popleft() if self._surveys else None

    def take_in(self, outcome: Outcome) -> None:
        """Go on from what came of a task."""
        self.done += outcome.slots
        self._urgent.extend(outcome.again)
        page = outcome.page
        if page is None:
            return
        self._totals.setdefault(page.shard, page.total)
        self._pages.append(batches(page))
        if page.after is not None:
            self._surveys.append(Survey(page.shard, page.after))
