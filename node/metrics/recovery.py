"""Whether what a crash left pinned and unsigned is signed again."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from actors import Scheduler, SchedulingMode
from protocol.ids import Id
from storage.journal import Reader, Work


class Recovery:
    """Watch the slots that were unfinished when the scheduler was opened."""

    def __init__(self, scheduler: Scheduler) -> None:
        """Note what is unfinished now: call it before any request is taken."""
        self._scheduler = scheduler
        self._store: Reader = scheduler.store
        # A reader beside another writer recovers nothing itself.
        recovers = scheduler.mode is not SchedulingMode.DISABLED
        self._last = dict(_unsigned(self._store)) if recovers else {}

    def done(self) -> bool:
        """Tell whether all of them are stored, or known to be beyond repair."""
        if self._last:
            unfit: Collection[Id] = self._scheduler.status().unfit
            self._last = {
                process: slot
                for process, slot in self._last.items()
                if process not in unfit and self._store.head(process).stored < slot
            }
        return not self._last


def _unsigned(store: Reader) -> Iterator[tuple[Id, int]]:
    for work in _all_work(store):
        if work.unsigned is not None:
            yield work.process, store.head(work.process).pinned


def _all_work(store: Reader) -> Iterator[Work]:
    page = store.work()
    while page:
        yield from page
        page = store.work(page[-1].process)
