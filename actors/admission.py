"""The bound of the queue: how many requests, and how many bytes, may wait at once."""

from __future__ import annotations

import threading

from protocol.errors import Overloaded


class Admission:
    """Count what is between `schedule()` and the store; refuse past the bound.

    The mutex is held for two additions and never while anything waits.
    """

    def __init__(self, max_requests: int, max_bytes: int) -> None:
        self.max_requests = max_requests
        self.max_bytes = max_bytes
        self.requests = 0
        self.bytes = 0
        self._lock = threading.Lock()

    def enter(self, size: int) -> None:
        """Take room for one request of `size` bytes.

        Raises:
            Overloaded: the queue is full; carries the seconds after which to try again.
        """
        with self._lock:
            requests, total = self.requests + 1, self.bytes + size
            # One request always fits, however large: the codec bounds its size.
            if requests <= self.max_requests and (total <= self.max_bytes or requests == 1):
                self.requests, self.bytes = requests, total
                return
        raise Overloaded(f"{self.requests} requests ({self.bytes} bytes) are waiting")

    def leave(self, size: int) -> None:
        """Give the room back."""
        with self._lock:
            self.requests -= 1
            self.bytes -= size
