"""Probes that interfere: one holds a thread at a point, one makes it fail there."""

from __future__ import annotations

import threading

from actors.probe import Point

PATIENCE_SECONDS = 60.0


class Hold:
    """Hold the first thread that comes to a point, once told to, until it is let go."""

    def __init__(self, point: Point) -> None:
        self._point = point
        self._armed = threading.Event()
        self._reached = threading.Event()
        self._released = threading.Event()

    def __call__(self, point: Point) -> None:
        if point is self._point and self._armed.is_set():
            self._reached.set()
            self._released.wait(PATIENCE_SECONDS)

    def arm(self) -> None:
        """Hold whoever comes from now on."""
        self._armed.set()

    def wait(self) -> None:
        """Wait until a thread is held."""
        assert self._reached.wait(PATIENCE_SECONDS), f"nobody came to {self._point}"

    def release(self) -> None:
        """Let it go, and hold nobody any more."""
        self._armed.clear()
        self._released.set()


class Broken(Exception):
    """What a test breaks something with."""


class Fault:
    """Raise at one call of a point."""

    def __init__(self, point: Point, call: int) -> None:
        self._point = point
        self._left = call
        self._lock = threading.Lock()

    def __call__(self, point: Point) -> None:
        if point is not self._point:
            return
        with self._lock:
            self._left -= 1
            left = self._left
        if not left:
            raise Broken(f"broken at {point}")
