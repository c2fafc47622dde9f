"""A journal in memory with the rules of the durable one, and faults on demand, for tests."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from protocol.assignment import Assignment
from protocol.errors import (
    Closed,
    CorruptRecord,
    Fenced,
    IdCollision,
    NotFound,
    SchedulerError,
    StoreFull,
)
from protocol.ids import Id
from storage.continuity import Heads, advance, require_same, work_of
from storage.journal import PAGE_LIMIT, Batch, Body, Head, Journal, Page, Pin, Receipt, Totals, Work
from storage.paging import page_bounds, require_stored

Place = tuple[Id, int]


@dataclass(slots=True)
class MemoryDisk:
    """What survives a crash: a journal comes and goes, its disk stays.

    Attributes:
        damaged: places whose records no longer match their digests; slot None is the head.
        full: True while there is no room for more.
    """

    heads: Heads = field(default_factory=dict)
    pins: dict[Place, Assignment] = field(default_factory=dict)
    signed: dict[Place, Assignment] = field(default_factory=dict)
    receipts: dict[Place, Receipt] = field(default_factory=dict)
    bodies: dict[Id, Body] = field(default_factory=dict)
    index: dict[tuple[Id, Id], int] = field(default_factory=dict)
    damaged: set[tuple[Id, int | None]] = field(default_factory=set)
    full: bool = False


class MemoryJournal(Journal):
    """Implement `Journal` in memory.

    Example:
        >>> journal = MemoryJournal()
        >>> journal.fail_next("append", applied=True)
        >>> # the next append lands, but raises Fenced as if its answer had been lost
        >>> journal = journal.reopen()
    """

    def __init__(self, disk: MemoryDisk | None = None) -> None:
        """Open `disk`, or a new one."""
        self.disk = MemoryDisk() if disk is None else disk
        self._lock = threading.RLock()
        self._refusal: SchedulerError | None = None
        self._fault: bool | None = None

    def fail_next(self, operation: str, *, applied: bool) -> None:
        """Let the next append end with `Fenced`.

        Args:
            operation: "append", the one operation whose outcome can get lost.
            applied: whether the batch lands before the answer is lost.
        """
        if operation != "append":
            raise ValueError(f"{operation} has no outcome to lose")
        self._fault = applied

    def reopen(self) -> MemoryJournal:
        """Kill this journal, and return a new one over what was durable."""
        with self._lock:
            self._refusal = Fenced("the journal was killed")
        return MemoryJournal(self.disk)

    def append(self, batch: Batch) -> None:
        """Apply the whole batch or nothing. See `Journal`."""
        with self._lock:
            self._check()
            if not (batch.pins or batch.signed or batch.receipts):
                return
            fault, self._fault = self._fault, None
            try:
                if fault is not False:
                    self._apply(batch)
                if fault is not None:
                    raise Fenced("commit outcome unknown")
            except Fenced as exc:
                self._refusal = exc
                raise

    def is_large(self, size: int) -> bool:
        """No body is too large for memory. See `Journal`."""
        return False

    def maintain(self) -> int:
        """There are no readers beside this program. See `Journal`."""
        return 0

    def keep_body(self, message_id: Id, body: Body) -> None:
        """Do nothing: memory knows no large messages. See `Journal`."""
        with self._lock:
            self._check()

    def same_body(self, message_id: Id, body: Body) -> bool:
        """Tell whether the ID is free or already holds exactly these bytes. See `Journal`."""
        with self._lock:
            self._check()
            return self.disk.bodies.get(message_id, body) == body

    def place(self, process: Id, message_id: Id, body: Body) -> int | None:
        """Return the message's first slot, or None if it may get one. See `Journal`."""
        with self._lock:
            slot = self.slot_of(process, message_id)
            if slot is None and not self.same_body(message_id, body):
                raise IdCollision(f"message ID {message_id} is taken by other bytes")
            return slot

    def require_space(self, size: int) -> None:
        """Raise `StoreFull` while `disk.full` is set. See `Journal`."""
        with self._lock:
            self._check()
            if self.disk.full:
                raise StoreFull()

    def close(self) -> None:
        """Refuse everything from now on. Idempotent."""
        with self._lock:
            self._refusal = self._refusal or Closed("the store is closed")

    def head(self, process: Id) -> Head:
        """Return where `process` stands. See `Reader`."""
        with self._lock:
            self._check(process)
            try:
                return self.disk.heads[process]
            except KeyError:
                raise NotFound(f"process {process} is not in this store") from None

    def latest(self, process: Id) -> Assignment:
        """Return the assignment of the highest stored slot. See `Reader`."""
        with self._lock:
            return self.assignment(process, self.head(process).stored)

    def assignment(self, process: Id, slot: int) -> Assignment:
        """Return the stored assignment of one slot. See `Reader`."""
        with self._lock:
            require_stored(self.head(process), slot)
            self._check(process, slot)
            return self.disk.signed[process, slot]

    def page(self, process: Id, first: int, last: int | None, limit: int = PAGE_LIMIT) -> Page:
        """Return stored assignments `first`..`last` (inclusive), at most `limit`. See `Reader`."""
        with self._lock:
            first, final, more = page_bounds(self.head(process), first, last, limit)
            run = (self.assignment(process, slot) for slot in range(first, final + 1))
            return Page(tuple(run), more)

    def body(self, message_id: Id) -> Body:
        """Return a message's bytes. See `Reader`."""
        with self._lock:
            self._check()
            try:
                return self.disk.bodies[message_id]
            except KeyError:
                raise NotFound(f"message {message_id} is not in this store") from None

    def slot_of(self, process: Id, message_id: Id) -> int | None:
        """Return the first slot that holds the message, or None. See `Reader`."""
        with self._lock:
            self._check()
            return self.disk.index.get((process, message_id))

    def receipt(self, process: Id, slot: int) -> Receipt | None:
        """Return what the bundler acknowledged for a stored slot, or None. See `Reader`."""
        with self._lock:
            require_stored(self.head(process), slot)
            return self.disk.receipts.get((process, slot))

    def processes(self, after: Id | None = None, limit: int = PAGE_LIMIT) -> list[Id]:
        """Return process IDs in key order, from the first one above `after`. See `Reader`."""
        with self._lock:
            self._check()
            return _above(self.disk.heads, after, limit)

    def process_count(self) -> int:
        """Return how many processes there are. See `Reader`."""
        with self._lock:
            self._check()
            return len(self.disk.heads)

    def totals(self) -> Totals:
        """Return how many slots there are. See `Reader`."""
        with self._lock:
            self._check()
            return Totals(len(self.disk.pins), len(self.disk.signed), len(self.disk.receipts))

    def pinned(self, process: Id, first: int, last: int) -> list[Assignment]:
        """Return the pinned slots `first`..`last`, unsigned. See `Reader`."""
        with self._lock:
            slots = range(max(first, 0), min(last, self.head(process).pinned) + 1)
            for slot in slots:
                self._check(process, slot)
            return [self.disk.pins[process, slot] for slot in slots]

    def work(self, after: Id | None = None, limit: int = PAGE_LIMIT) -> list[Work]:
        """Return unfinished work, from the first process above `after`. See `Reader`."""
        with self._lock:
            self._check()
            work = {process: work_of(head) for process, head in self.disk.heads.items()}
            open_work = {process: left for process, left in work.items() if left is not None}
            return [open_work[process] for process in _above(open_work, after, limit)]

    def __repr__(self) -> str:
        return f"<MemoryJournal processes={len(self.disk.heads)} refusal={self._refusal!r}>"

    def _check(self, process: Id | None = None, slot: int | None = None) -> None:
        """Refuse use after a fault, and records that are damaged."""
        if self._refusal is not None:
            raise type(self._refusal)(self._refusal.detail)
        if process is not None and (process, slot) in self.disk.damaged:
            error = CorruptRecord(f"record of process {process} slot {slot} is damaged")
            error.process, error.slot = bytes(process), slot
            raise error

    def _apply(self, batch: Batch) -> None:
        """Check everything, then change everything: an error leaves nothing behind."""
        disk = self.disk
        heads = advance(batch, disk.heads.get, lambda process, slot: disk.signed[process, slot].id)
        bodies = _new_bodies(batch.pins, disk.bodies)
        pins = {(pin.assignment.process, pin.assignment.slot): pin.assignment for pin in batch.pins}
        signed = {(assignment.process, assignment.slot): assignment for assignment in batch.signed}
        for place, assignment in signed.items():
            pinned = pins.get(place) or disk.pins[place]
            require_same(assignment, assignment.signed(()) == pinned)
        disk.heads.update(heads)
        disk.bodies.update(bodies)
        disk.pins.update(pins)
        disk.signed.update(signed)
        disk.receipts.update(
            {(receipt.process, receipt.slot): receipt for receipt in batch.receipts}
        )
        for assignment in pins.values():
            disk.index.setdefault((assignment.process, assignment.message_id), assignment.slot)


def _new_bodies(pins: Iterable[Pin], kept: dict[Id, Body]) -> dict[Id, Body]:
    bodies: dict[Id, Body] = {}
    for pin in pins:
        message_id = pin.assignment.message_id
        if (
            kept.get(message_id, pin.body) != pin.body
            or bodies.get(message_id, pin.body) != pin.body
        ):
            raise Fenced(f"message {message_id} is already kept with other bytes")
        bodies[message_id] = pin.body
    return bodies


def _above(keys: Iterable[Id], after: Id | None, limit: int) -> list[Id]:
    return sorted(key for key in keys if after is None or key > after)[:limit]
