"""Load: keep a constant number of requests in flight and note when each is confirmed."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import inf
from queue import Empty, SimpleQueue
from typing import NamedTuple

from actors import Stage, Ticket
from actors.futures import StageFuture
from protocol.assignment import Assignment
from protocol.message import Verified

DRIVERS = 2
"""Threads that submit. Measured: a thread per request costs 15% of the throughput."""

STALLED_SECONDS = 30.0
"""Without a confirmation for so long, something is broken: every request has a deadline."""

Item = bytes | Verified
Confirmed = StageFuture[Assignment]


class Completion(NamedTuple):
    """One request: when it was submitted and confirmed (seconds), and its future."""

    started: float
    finished: float
    future: Confirmed

    @property
    def seconds(self) -> float:
        """From submission to confirmation."""
        return self.finished - self.started


def rate(done: Collection[Completion]) -> float:
    """Return the confirmations a second, from the first submission to the last of them."""
    began = min(completion.started for completion in done)
    return len(done) / (max(completion.finished for completion in done) - began)


def set_aside() -> None:
    """Keep what was prepared out of the garbage collections to come.

    The items are the harness's: the product's collections shall not walk over them. Without
    cryptography that is a third of all its time.
    """
    gc.collect()
    gc.freeze()


class Load:
    """Submit items, `in_flight` at a time: each confirmation admits the next one.

    A confirmation is noted by the callback of its future, at the moment it comes and not
    when somebody gets round to waiting for it.
    """

    def __init__(self, schedule: Callable[[Item], Ticket], stage: Stage, in_flight: int) -> None:
        self._schedule = schedule
        self._stage = stage
        self._in_flight = in_flight
        self._completions: list[Completion] = []
        # One token for each request that may still be submitted.
        self._tokens: SimpleQueue[None] = SimpleQueue()

    def run(self, items: Sequence[Item], seconds: float = inf) -> list[Completion]:
        """Submit items until they or the seconds run out; return when all are confirmed.

        Raises:
            SchedulerError: what the first request that failed ended with.
        """
        for _ in range(self._in_flight):
            self._tokens.put(None)
        drivers = min(DRIVERS, self._in_flight)
        deadline = time.perf_counter() + seconds
        with ThreadPoolExecutor(drivers) as pool:
            shares = [items[number::drivers] for number in range(drivers)]
            list(pool.map(partial(self._drive, deadline), shares))
        for _ in range(self._in_flight):
            self._take_token()
        self._raise_failure()
        return self._completions

    def _drive(self, deadline: float, items: Iterable[Item]) -> None:
        for item in items:
            self._take_token()
            started = time.perf_counter()
            if started >= deadline:
                self._tokens.put(None)
                return
            ticket = self._schedule(item)
            ticket.future(self._stage).add_done_callback(partial(self._confirmed, started))

    def _confirmed(self, started: float, future: Confirmed) -> None:
        self._completions.append(Completion(started, time.perf_counter(), future))
        self._tokens.put(None)

    def _take_token(self) -> None:
        try:
            self._tokens.get(timeout=STALLED_SECONDS)
        except Empty:
            raise TimeoutError(f"nothing was confirmed for {STALLED_SECONDS} seconds") from None

    def _raise_failure(self) -> None:
        for completion in self._completions:
            if completion.future.error is not None:
                raise completion.future.error
