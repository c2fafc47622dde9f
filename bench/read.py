"""`bench read`: how fast stored schedules are read in pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from actors import Scheduler, SchedulingMode
from bench.bulk import fill
from protocol.ids import Id
from protocol.wallet import OWNER_BYTES
from storage import open_writer

SLOTS_OF_SMALL = 10
"""Assignments of each of the many small processes."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How fast one kind of store is read; the fields are those of the JSON.

    Attributes:
        processes: in the store.
        assignments: in the store, over all processes.
        pages: read to see each assignment once.
        per_second: assignments read a second, by one thread.
    """

    processes: int
    assignments: int
    pages: int
    per_second: float


def read(
    data: Path, assignments: int, seconds: float, announce: Callable[[str], None]
) -> list[Reading]:
    """Read a store of one long schedule, and one of many short ones.

    Args:
        data: folder on the disk to measure.
        assignments: in each store.
        seconds: how long each is read, again and again.
        announce: is told what comes next.
    """
    short = min(SLOTS_OF_SMALL, assignments)
    shapes = [(1, assignments), (assignments // short, short)]
    readings = []
    data.mkdir(parents=True, exist_ok=True)
    for processes, slots in shapes:
        announce(f"reading {slots:,} assignments of each process, processes: {processes:,}")
        with TemporaryDirectory(dir=data, prefix="read-") as folder:
            with open_writer(Path(folder) / "store") as journal:
                ids = fill(journal, bytes(OWNER_BYTES), processes, slots)
            readings.append(_read_store(Path(folder) / "store", ids, slots, seconds))
    return readings


def _read_store(store: Path, ids: Sequence[Id], slots: int, seconds: float) -> Reading:
    with Scheduler.open(store, mode=SchedulingMode.DISABLED) as scheduler:
        rounds, began = 0, time.perf_counter()
        while (lasted := time.perf_counter() - began) < seconds or not rounds:
            pages = sum(_pages(scheduler, process, slots) for process in ids)
            rounds += 1
    return Reading(len(ids), len(ids) * slots, pages, rounds * len(ids) * slots / lasted)


def _pages(scheduler: Scheduler, process: Id, slots: int) -> int:
    pages, found, more = 0, 0, True
    while more:
        page = scheduler.page(process, found)
        pages, found, more = pages + 1, found + len(page.assignments), page.more
    if found != slots:
        raise RuntimeError(f"process {process} has {found} assignments instead of {slots}")
    return pages
