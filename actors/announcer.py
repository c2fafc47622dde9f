"""The announcer: tells whoever follows a process how far it is stored."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

from actors.events import log
from protocol.ids import Id

Follower = Callable[[int], None]
"""Is called with the highest stored slot."""


class Announcer:
    """Call followers on a thread of its own, so that none holds up the committer.

    Several slots that are stored while a follower is called become one call, with the last of
    them: followers read the schedule from the store, and memory is bounded by their number.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._followers: dict[Id, dict[object, Follower]] = {}
        # Slots that are still to be told.
        self._news: dict[Id, int] = {}
        self._wake: SimpleQueue[bool] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)

    @property
    def followers(self) -> int:
        """How many there are."""
        with self._lock:
            return sum(map(len, self._followers.values()))

    def start(self) -> None:
        """Begin to call."""
        self._thread.start()

    def follow(self, process: Id, follower: Follower) -> Callable[[], None]:
        """Call `follower` after each stored slot of `process`; return what ends that."""
        token = object()
        with self._lock:
            self._followers.setdefault(process, {})[token] = follower
        return lambda: self._part(process, token)

    def stored(self, process: Id, slot: int) -> None:
        """Learn that a slot is stored. Called in slot order per process; never blocks."""
        if process not in self._followers:
            return
        with self._lock:
            known = process in self._news
            self._news[process] = slot
        if not known:
            self._wake.put(True)

    def stop(self) -> None:
        """Call nobody any more."""
        self._wake.put(False)

    def _run(self) -> None:
        while self._wake.get():
            with self._lock:
                process, slot = self._news.popitem()
                followers = tuple(self._followers.get(process, {}).items())
            for token, follower in followers:
                try:
                    follower(slot)
                except Exception:
                    log.exception("follower_broken", process=process)
                    self._part(process, token)

    def _part(self, process: Id, token: object) -> None:
        with self._lock:
            followers = self._followers.get(process, {})
            followers.pop(token, None)
            if not followers:
                self._followers.pop(process, None)
