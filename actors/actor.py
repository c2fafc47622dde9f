"""What our actors have in common."""

from __future__ import annotations

from queue import SimpleQueue
from typing import Any

import pykka


class SchedulerActor(pykka.ThreadingActor):
    """A Pykka actor on a daemon thread, with an inbox that wakes it at half the cost.

    Pykka's own inbox is a `queue.Queue`, made of a lock and three conditions in Python;
    a `SimpleQueue` is one object in C, and an inbox needs no more.
    """

    use_daemon_thread = True

    @staticmethod
    def _create_actor_inbox() -> SimpleQueue[Any]:
        return SimpleQueue()
