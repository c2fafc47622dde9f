from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pytest

from actors import Stage, Ticket
from bench.load import Load
from protocol.errors import Overloaded


class Counter:
    """Take requests and confirm them from another thread, counting those in between."""

    def __init__(self, in_flight: int) -> None:
        self.taken: list[bytes] = []
        self.open = 0
        self.most = 0
        self._lock = threading.Lock()
        self._waiting: deque[Ticket] = deque()
        self._full = in_flight
        self._pool = ThreadPoolExecutor(1)

    def schedule(self, item: bytes) -> Ticket:
        ticket = Ticket(deadline=time.monotonic() + 10)
        with self._lock:
            self.taken.append(item)
            self._waiting.append(ticket)
            self.open += 1
            self.most = max(self.most, self.open)
            if self.open == self._full or len(self.taken) == 40:
                self._pool.submit(self.confirm, list(self._waiting))
                self._waiting.clear()
        return ticket

    def confirm(self, tickets: list[Ticket]) -> None:
        for ticket in tickets:
            with self._lock:
                self.open -= 1
            ticket.reach(Stage.STORED, None)


@pytest.mark.parametrize("in_flight", [1, 2, 7])
def test_the_window_is_full_and_never_more_than_full(in_flight: int) -> None:
    """As many requests as asked for are in flight, never one more, and all are confirmed."""
    counter = Counter(in_flight)
    items = [b"%d" % n for n in range(40)]
    completions = Load(counter.schedule, Stage.STORED, in_flight).run(items)
    assert counter.most == in_flight
    assert sorted(counter.taken) == sorted(items)
    assert len(completions) == len(items)


def test_a_latency_ends_when_the_future_completes() -> None:
    """A confirmation is noted when it comes, before the next request, and not at the end."""
    submitted: list[float] = []

    def schedule(_: bytes) -> Ticket:
        submitted.append(time.perf_counter())
        ticket = Ticket(deadline=time.monotonic() + 10)
        ticket.reach(Stage.ASSIGNED, None)
        return ticket

    first, second = Load(schedule, Stage.ASSIGNED, 1).run([b"1", b"2"])
    assert first.started <= submitted[0] <= first.finished
    assert first.finished <= second.started <= submitted[1] <= second.finished
    assert first.seconds == first.finished - first.started


def test_nothing_is_submitted_after_the_time() -> None:
    """When the time is over the remaining items stay where they are."""
    counter = Counter(1)
    assert Load(counter.schedule, Stage.STORED, 1).run([b"late"], seconds=0) == []
    assert counter.taken == []


def test_a_failed_request_fails_the_run() -> None:
    """A load in which one request was refused has measured nothing."""

    def schedule(item: bytes) -> Ticket:
        ticket = Ticket(deadline=time.monotonic() + 10)
        ticket.reach(Stage.STORED, None)
        if item == b"2":
            ticket = Ticket(deadline=time.monotonic() + 10)
            ticket.fail(Overloaded("full"))
        return ticket

    with pytest.raises(Overloaded, match="full"):
        Load(schedule, Stage.STORED, 2).run([b"1", b"2", b"3"])
