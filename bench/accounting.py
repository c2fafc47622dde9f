"""Accounting: what was promised to callers is what a fresh reader finds on disk."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from actors import Scheduler, SchedulingMode
from protocol.assignment import Assignment
from protocol.ids import Id

SETTLE_SECONDS = 60.0
"""How long a backlog of uploads may take after the last request was confirmed."""

POLL_SECONDS = 0.01


class Unaccounted(Exception):
    """The store does not hold what was promised: nothing measured counts."""


class Promise(NamedTuple):
    """What an answer over HTTP said."""

    process: Id
    slot: int
    message_id: Id


def settle(scheduler: Scheduler, promised: Iterable[Assignment | Promise]) -> None:
    """Wait until every promised slot is stored and published.

    Raises:
        Unaccounted: they are not within `SETTLE_SECONDS`.
    """
    last = _last_slots(promised)
    deadline = time.monotonic() + SETTLE_SECONDS
    pause = threading.Event()
    while any(scheduler.slot(process) < slot for process, slot in last.items()) or (
        scheduler.pending()
    ):
        if time.monotonic() > deadline:
            raise Unaccounted(f"still unpublished: {scheduler.pending()[:3]}")
        pause.wait(POLL_SECONDS)


def account(path: Path, promised: Iterable[Assignment | Promise]) -> None:
    """Read the store at `path` and compare every slot of every process with what was promised.

    Raises:
        Unaccounted: a slot was promised twice, is missing, holds another message, or was
            never promised.
    """
    expected: defaultdict[Id, Counter[tuple[int, Id]]] = defaultdict(Counter)
    for assignment in promised:
        expected[assignment.process][assignment.slot, assignment.message_id] += 1
    with Scheduler.open(path, mode=SchedulingMode.DISABLED) as reader:
        if set(reader.processes()) != expected.keys():
            raise Unaccounted("the store holds other processes than were spawned")
        for process, slots in expected.items():
            stored = Counter(_stored(reader, process))
            if stored != slots:
                missing, surplus = slots - stored, stored - slots
                raise Unaccounted(
                    f"process {process}: {missing.total()} promised slots are not stored, "
                    f"{surplus.total()} stored slots were not promised"
                )


def _last_slots(promised: Iterable[Assignment | Promise]) -> dict[Id, int]:
    last: dict[Id, int] = {}
    for assignment in promised:
        last[assignment.process] = max(assignment.slot, last.get(assignment.process, 0))
    return last


def _stored(reader: Scheduler, process: Id) -> Iterable[tuple[int, Id]]:
    start, more = 0, True
    while more:
        page = reader.page(process, start)
        yield from ((a.slot, a.message_id) for a in page.assignments)
        start, more = start + len(page.assignments), page.more
