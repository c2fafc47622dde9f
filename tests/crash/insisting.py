"""Senders who ask again with the same message until they know."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from functools import partial
from queue import SimpleQueue

from actors import Scheduler, Stage
from actors.futures import StageFuture
from protocol.assignment import Assignment
from protocol.errors import DeadlineExpired, OutcomeUnknown, PublicationPending, Recovering
from protocol.ids import Id
from tests.crash.telling import Failed, Item, Record, Told

ASK_AGAIN = (DeadlineExpired, OutcomeUnknown, PublicationPending, Recovering)
"""What a request may end with when a shard ends under it, or when there is little time."""

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.02


class Insisting:
    """Send items to shards that may end meanwhile, each until its mode's stage is reached.

    Attributes:
        records: what was told so far.
        asked_again: how often somebody had to.
    """

    def __init__(self, scheduler: Scheduler, in_flight: int = 8) -> None:
        self.records: list[Record] = []
        self.asked_again = 0
        self._scheduler = scheduler
        self._in_flight = in_flight
        self._pause = threading.Event()
        self._ended: SimpleQueue[tuple[Item, BaseException | None]] = SimpleQueue()

    def send_all(self, items: Iterable[Item]) -> None:
        """Send everything; return once each sender has what it waits for."""
        waiting, flying = deque(items), 0
        while waiting or flying:
            while waiting and flying < self._in_flight:
                self._send(waiting.popleft())
                flying += 1
            item, error = self._ended.get(timeout=PATIENCE_SECONDS)
            flying -= 1
            if isinstance(error, ASK_AGAIN):
                self.asked_again += 1
                self._pause.wait(PAUSE_SECONDS)
                waiting.append(item)

    def _send(self, item: Item) -> None:
        ticket = self._scheduler.schedule(item.message)
        for stage in Stage:
            ticket.future(stage).add_done_callback(partial(self._hear, item.id, stage))
        ticket.future(item.mode.stage).add_done_callback(partial(self._end, item))

    def _hear(self, item: Id, stage: Stage, future: StageFuture[Assignment]) -> None:
        if future.error is None:
            self.records.append(Told(item, stage, future.get()))
        elif not isinstance(future.error, ASK_AGAIN):
            self.records.append(Failed(item, stage, repr(future.error)))

    def _end(self, item: Item, future: StageFuture[Assignment]) -> None:
        self._ended.put((item, future.error))
