"""A gate in front of a store: it counts who is inside, and says why nobody may enter."""

from __future__ import annotations

import threading

from protocol.errors import SchedulerError


class Gate:
    """Let calls in until a reason is given; then wait until the last one has left.

    Used as ``with gate:`` around every use of a resource that must not be closed under
    somebody's feet. The first reason given stays.
    """

    __slots__ = ("__weakref__", "_empty", "_inside", "_lock", "_reason")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._empty = threading.Event()
        self._inside = 0
        self._reason: SchedulerError | None = None

    def __enter__(self) -> None:
        """Go in.

        Raises:
            SchedulerError: the reason that was given to `refuse`.
        """
        with self._lock:
            if self._reason is None:
                self._inside += 1
                return
        # A fresh one: raising the same object in many threads would tangle tracebacks.
        raise type(self._reason)(self._reason.detail)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._reason is not None and self._inside == 0:
                self._empty.set()

    def refuse(self, reason: SchedulerError) -> None:
        """Let nobody in from now on; those inside go on."""
        with self._lock:
            if self._reason is None:
                self._reason = reason
            if self._inside == 0:
                self._empty.set()

    def drain(self) -> None:
        """Wait until nobody is inside; only after `refuse`, and never from inside."""
        self._empty.wait()

    @property
    def shut(self) -> bool:
        """True once a reason was given."""
        return self._reason is not None

    def reset_after_fork(self, reason: SchedulerError) -> None:
        """In a forked child: nobody else lives here, and nobody may enter."""
        self._lock = threading.Lock()
        self._empty = threading.Event()
        self._inside = 0
        self._reason = None
        self.refuse(reason)
