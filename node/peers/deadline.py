"""One deadline for everything that is done to answer one question."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from protocol.errors import PeerTimeout

# Of the thread that asks; what waits on its behalf does so on the same thread.
_ends: ContextVar[float] = ContextVar("ends", default=float("inf"))


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Bound everything inside to so many seconds; a deadline around it still holds."""
    token = _ends.set(min(_ends.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _ends.reset(token)


def remaining() -> float:
    """Return the seconds left, more than zero.

    Raises:
        PeerTimeout: there are none.
    """
    left = _ends.get() - time.monotonic()
    if left <= 0:
        raise PeerTimeout()
    return left
