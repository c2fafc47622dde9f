"""One thread that waits for all sockets of a program."""

from __future__ import annotations

import os
import select
import threading
from typing import Protocol

from actors.channel.errors import ConnectionLost
from actors.events import log
from storage.forks import give_up_in_children

BURST_BYTES = 256 << 10
"""Most that is read from one socket before others have a turn."""


class Watched(Protocol):
    """What a loop looks after: something with one descriptor."""

    def ready(self, events: int) -> None:
        """Do what the descriptor is ready for (`select.EPOLLIN` and so on), without waiting."""

    def end(self, error: BaseException | None) -> None:
        """Be over, and close the descriptor; `error` is why, None when somebody wanted it so."""


class Posting(Protocol):
    """What may have something to write when a burst is over."""

    def flush(self) -> None:
        """Write it."""


class Loop:
    """Wait for descriptors and call those they belong to, on one daemon thread.

    Everything that is watched is ended when the loop is stopped, on its thread; a forked child
    has none of it.

    Attributes:
        buffer: where a burst is read into; only the loop's thread touches it.
    """

    def __init__(self, name: str) -> None:
        self.buffer = memoryview(bytearray(BURST_BYTES))
        # Changed under the lock where a descriptor could be gone otherwise.
        self._lock = threading.Lock()
        self._watched: dict[int, Watched] = {}
        self._stopping = False
        self._over = False
        # Owned by the loop's thread.
        self._posted: set[Posting] = set()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._poll = select.epoll()
        try:
            self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        except OSError:
            self._poll.close()
            raise
        self._poll.register(self._wake, select.EPOLLIN)
        give_up_in_children(self)

    @property
    def is_current(self) -> bool:
        """Whether the caller runs on the loop's thread."""
        return self._thread.ident == threading.get_ident()

    def start(self) -> None:
        """Begin to wait.

        Raises:
            RuntimeError: it was started, or stopped, before.
        """
        with self._lock:
            if self._stopping:
                raise RuntimeError("the loop was stopped")
            self._thread.start()

    def stop(self) -> None:
        """End everything that is watched, and the thread. Idempotent.

        On return it is over; called on the loop's own thread, as soon as that gets back to it.
        """
        with self._lock:
            self._stopping = True
            started = self._thread.ident is not None
            if started and not self._over:
                os.eventfd_write(self._wake, 1)
        if not started:
            self._finish()
        elif not self.is_current:
            self._thread.join()

    def watch(self, descriptor: int, watched: Watched) -> None:
        """Call `watched.ready` whenever there is something to read. Any thread.

        Raises:
            ConnectionLost: the loop is over.
        """
        with self._lock:
            if self._stopping:
                raise ConnectionLost("the loop is over")
            self._poll.register(descriptor, select.EPOLLIN)
            self._watched[descriptor] = watched

    def await_room(self, descriptor: int, *, wanted: bool) -> None:
        """Call `ready` also when there is room to write, or no more. Any thread.

        The caller sees to it that the descriptor is watched until this returns.
        """
        self._poll.modify(descriptor, select.EPOLLIN | (select.EPOLLOUT if wanted else 0))

    def forget(self, descriptor: int) -> None:
        """Call nobody any more for a descriptor that is about to be closed. Any thread."""
        if self._watched.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def flush_after_burst(self, posting: Posting) -> None:
        """Flush it when the present burst was worked off. Only on the loop's thread."""
        self._posted.add(posting)

    def after_fork(self) -> None:
        """Close the child's copies; nothing is told to anybody."""
        self._lock = threading.Lock()
        self._watched.clear()
        self._stopping = True
        if not self._over:
            self._close()

    def _run(self) -> None:
        try:
            while not self._stopping:
                for descriptor, events in self._poll.poll():
                    self._dispatch(descriptor, events)
        finally:
            self._finish()

    def _dispatch(self, descriptor: int, events: int) -> None:
        # What was ended earlier in this round is not here any more; who got its descriptor
        # meanwhile finds nothing to read.
        watched = self._watched.get(descriptor)
        if watched is None:
            return
        try:
            watched.ready(events)
        except Exception as exc:
            log.exception("channel_failed")
            watched.end(exc)
        while self._posted:
            self._posted.pop().flush()

    def _finish(self) -> None:
        with self._lock:
            self._stopping = True
            if self._over:
                return
            watched = list(self._watched.values())
        for each in watched:
            each.end(None)
        with self._lock:
            self._close()

    def _close(self) -> None:
        self._over = True
        self._poll.close()
        os.close(self._wake)

    def __repr__(self) -> str:
        state = "over" if self._over else "stopping" if self._stopping else "open"
        return f"<Loop {self._thread.name} {state} watched={len(self._watched)}>"
