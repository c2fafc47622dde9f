"""Ask again when a server failed for the moment."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import TypeVar

from node.peers.deadline import remaining
from protocol.errors import PeerFailed, PeerTimeout, PeerTooLarge

ATTEMPTS = 3

PAUSE_SECONDS = 0.2
"""Longest before the second attempt; doubles each time. Spread, so that askers fall out of step."""

T = TypeVar("T")


def wait(seconds: float) -> None:
    """Do nothing for a while."""
    threading.Event().wait(seconds)


def retried(ask: Callable[[], T], *, pause: Callable[[float], None] = wait) -> T:
    """Return the first usable answer of a few attempts.

    Only for questions that may be asked twice. A deadline around it holds for all attempts
    together.

    Args:
        ask: asks once.
        pause: waits so many seconds.

    Raises:
        PeerFailed: the last attempt's; one that took too long or answered too much is the last.
        PeerRefused: at once.
    """
    for attempt in range(ATTEMPTS - 1):
        try:
            return ask()
        except (PeerTimeout, PeerTooLarge):
            raise
        except PeerFailed:
            pause(min(remaining(), PAUSE_SECONDS * 2**attempt * _jitter()))
    return ask()


def _jitter() -> float:
    return random.uniform(0.5, 1.0)  # noqa: S311 - nothing secret
