"""The processes that somebody in this program follows, and how far each is known to be stored."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from actors.announcer import Announcer
from protocol.errors import SchedulerError
from protocol.ids import Id
from storage.journal import Reader


class Followed:
    """Announce what shards tell of followed processes, and each slot at most once.

    A shard that is asked to tell of a process says first how far it is stored, so that nothing
    is missed while the request is under way or while the shard was away; what was stored before
    the first follower came is known from the store, and is no news.
    """

    def __init__(self, reader: Reader, announcer: Announcer) -> None:
        self._reader = reader
        self._announcer = announcer
        self._lock = threading.Lock()
        self._followers: dict[Id, int] = {}
        self._known: dict[Id, int] = {}

    def enter(self, process: Id) -> bool:
        """Count a follower; tell whether it is the first of its process."""
        known = self._stored(process)
        with self._lock:
            count = self._followers.get(process, 0)
            self._followers[process] = count + 1
            self._known.setdefault(process, known)
        return not count

    def leave(self, process: Id) -> bool:
        """Count a follower out; tell whether it was the last of its process."""
        with self._lock:
            self._followers[process] -= 1
            last = not self._followers[process]
            if last:
                del self._followers[process], self._known[process]
        return last

    def stored(self, process: Id, slot: int) -> None:
        """Announce a slot, unless it is known."""
        with self._lock:
            if slot <= self._known.get(process, slot):
                return
            self._known[process] = slot
        self._announcer.stored(process, slot)

    def __iter__(self) -> Iterator[Id]:
        with self._lock:
            return iter(tuple(self._followers))

    def _stored(self, process: Id) -> int:
        try:
            return self._reader.head(process).stored
        except SchedulerError:
            return -1
