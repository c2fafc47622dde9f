"""The deadline timer: every request is answered in time."""

from __future__ import annotations

import threading
import time
from collections import deque

from actors.ticket import Ticket

TICK = 0.05
"""Seconds between two looks: how late an answer at the deadline may be."""

SWEEP = 1.0
"""Seconds between two full sweeps, which drop finished tickets behind a waiting one."""


class DeadlineTimer:
    """Expire tickets at their deadline.

    All tickets of a scheduler have the same patience, so they stand in the order of their
    deadlines, and a look at the front is enough.
    """

    def __init__(self) -> None:
        # Appended by callers, taken by the timer's thread; a deque is safe for both.
        self._tickets: deque[Ticket] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def watch(self, ticket: Ticket) -> None:
        """Expire `ticket` once its deadline has passed."""
        self._tickets.append(ticket)

    def stop(self) -> None:
        """End the watch and every request that is still open."""
        self._stopping.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
        while self._tickets:
            self._tickets.popleft().abandon()

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

    def _sweep(self) -> None:
        # One rotation. What callers append meanwhile ends up before some older tickets, which
        # then expire late by no more than the time this loop takes.
        for _ in range(len(self._tickets)):
            ticket = self._tickets.popleft()
            if not ticket.done:
                self._tickets.append(ticket)
