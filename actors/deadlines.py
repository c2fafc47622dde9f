"""The deadline timer: every request is answered in time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator

from actors.ticket import Ticket

TICK = 0.05
"""Seconds between two looks: how late an answer at the deadline may be."""

DISORDER = 0.1
"""Seconds by which deadlines may be out of order and still be in one queue: how much later the
first of two tickets may come here. So much later than its deadline it may expire, too."""

SWEEP = 1.0
"""Seconds between two full sweeps, which drop finished tickets behind a waiting one."""


class DeadlineTimer:
    """Expire tickets at their deadline.

    All tickets that a scheduler makes have the same patience, so they stand in the order of
    their deadlines, and a look at the front is enough. Those that others made, with any
    deadline, are few and are all looked at; so are those of a program with less patience than
    another one that uses the same shard.
    """

    def __init__(self) -> None:
        # Appended by callers, taken by the timer's thread; a deque is safe for both.
        self._tickets: deque[Ticket] = deque()
        self._foreign: deque[Ticket] = deque()
        # About the latest deadline in the queue that is in order.
        self._latest = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def watch(self, ticket: Ticket) -> None:
        """Expire `ticket`, whose deadline is seldom before those of others watched so."""
        if ticket.deadline < self._latest - DISORDER:
            self.watch_foreign(ticket)
            return
        self._latest = ticket.deadline
        ticket.watched = True
        self._tickets.append(ticket)

    def watch_foreign(self, ticket: Ticket) -> None:
        """Expire `ticket`, whatever its deadline."""
        ticket.watched = True
        self._foreign.append(ticket)

    def stop(self) -> None:
        """End the watch and every request that is still open."""
        self._stopping.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
        for tickets in (self._tickets, self._foreign):
            while tickets:
                tickets.popleft().abandon()

    def _run(self) -> None:
        swept = time.monotonic()
        while not self._stopping.wait(TICK):
            now = time.monotonic()
            self._expire(now)
            if now - swept >= SWEEP:
                self._sweep()
                swept = now

    def _expire(self, now: float) -> None:
        tickets = self._tickets
        while tickets and (tickets[0].done or tickets[0].deadline <= now):
            ticket = tickets.popleft()
            if not ticket.done:
                ticket.expire()
        for ticket in _rotate(self._foreign):
            if ticket.deadline <= now:
                ticket.expire()

    def _sweep(self) -> None:
        # What callers append meanwhile ends up before some older tickets, which then expire
        # late by no more than the time this loop takes.
        for _ in _rotate(self._tickets):
            pass


def _rotate(tickets: deque[Ticket]) -> Iterator[Ticket]:
    # Go round once, and drop those that are done.
    for _ in range(len(tickets)):
        ticket = tickets.popleft()
        if not ticket.done:
            tickets.append(ticket)
            yield ticket
