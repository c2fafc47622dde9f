"""Whether what a crash left pinned and unsigned is signed again."""

from __future__ import annotations

from collections.abc import Iterator

from actors import Scheduler, SchedulingMode
from actors.status import Status
from protocol.ids import Id
from storage.journal import Reader, all_work


class Recovery:
    """Watch the slots that were unfinished when the scheduler, or one of its shards, was opened."""

    def __init__(self, scheduler: Scheduler) -> None:
        """Note what is unfinished now: call it before any request is taken."""
        self._scheduler = scheduler
        self._store: Reader = scheduler.store
        self._starts: tuple[int, ...] = ()
        self._last: dict[Id, int] = {}
        self._note(_starts(scheduler.status()))

    def done(self, status: Status) -> bool:
        """Tell whether all of them are stored, or known to be beyond repair.

        Args:
            status: of the scheduler, asked just now.
        """
        if (starts := _starts(status)) != self._starts:
            self._note(starts)
        self._last = {
            process: slot
            for process, slot in self._last.items()
            if process not in status.unfit and self._store.head(process).stored < slot
        }
        return not self._last

    def _note(self, starts: tuple[int, ...]) -> None:
        # How often each shard was started: with the next start there is more to recover. What
        # is under way elsewhere is noted then, too, and done in a moment.
        self._starts = starts
        # A reader beside another writer recovers nothing itself.
        recovers = self._scheduler.mode is not SchedulingMode.DISABLED
        self._last = dict(_unsigned(self._store)) if recovers else {}


def _starts(status: Status) -> tuple[int, ...]:
    return tuple(shard.generation for shard in status.shards)


def _unsigned(store: Reader) -> Iterator[tuple[Id, int]]:
    for work in all_work(store):
        if work.unsigned is not None:
            yield work.process, store.head(work.process).pinned
