"""The witness: remembers what callers and the bundler were told, and checks it as it is told."""

from __future__ import annotations

from functools import partial
from math import inf

from actors.flight import Flight
from actors.stages import Stage
from actors.ticket import Ticket
from protocol.assignment import Assignment
from protocol.codecs.assignment import published_ids
from protocol.ids import Id
from storage.memory_journal import MemoryDisk, MemoryJournal
from tests.auditor import (
    AuditFailure,
    audit,
    require_acknowledged,
    require_kept,
    require_no_equivocation,
)


class Witness:
    """Outlives every crash, as callers and bundlers do.

    What a future's callback raises is dropped, so complaints are written down and raised
    by `judge`.

    Attributes:
        exposed: every signed assignment that left the scheduler.
        acknowledged: those that an answer called stored, or that were uploaded.
    """

    def __init__(self, disk: MemoryDisk) -> None:
        self._disk = disk
        self.exposed: list[Assignment] = []
        self.acknowledged: list[Assignment] = []
        self._complaints: list[str] = []
        # The slot released last in this life, per process and stage.
        self._released: dict[tuple[Id, Stage], int] = {}

    def forget_order(self) -> None:
        """Begin a new life: what was released before may be released again."""
        self._released.clear()

    def listen(self, ticket: Ticket) -> None:
        """Stand beside the caller who holds `ticket`."""
        for stage, told in (
            (Stage.ASSIGNED, self.told_assigned),
            (Stage.STORED, self.told_stored),
            (Stage.PUBLISHED, self.told_published),
        ):
            ticket.future(stage).add_done_callback(
                lambda future, told=told: told(future.get()) if future.error is None else None
            )

    def follow(self, flight: Flight) -> None:
        """Watch a flight: its stages come once, and after those of the slot before."""
        ticket = Ticket(inf)
        for stage in (Stage.ASSIGNED, Stage.STORED):
            released = partial(self._on_released, stage)
            ticket.future(stage).add_done_callback(lambda future, do=released: do(future.get()))
        # A ticket that waits for its receipt would keep the flight in memory.
        ticket.stored.add_done_callback(lambda future: ticket.published.complete(future.get()))
        flight.join(ticket)

    def told_assigned(self, assignment: Assignment) -> None:
        """Somebody saw signed bytes."""
        self.exposed.append(assignment)
        head = self._disk.heads.get(assignment.process)
        self._require(head is not None and head.pinned >= assignment.slot, "S7", assignment)

    def told_stored(self, assignment: Assignment) -> None:
        """Somebody was told that these bytes are durable."""
        self.acknowledged.append(assignment)
        place = assignment.process, assignment.slot
        self._require(self._disk.signed.get(place) == assignment, "S4", assignment)

    def told_published(self, assignment: Assignment) -> None:
        """Somebody was told that the bundler acknowledged these bytes."""
        receipt = self._disk.receipts.get((assignment.process, assignment.slot))
        expected = [assignment.message_id, *published_ids(assignment)]
        items = [item for item, _ in receipt.items] if receipt else []
        self._require(items == expected, "S5", assignment)

    def judge(self, *, unique: bool) -> None:
        """Check the disk, and whatever was told so far against it.

        Args:
            unique: whether no message may hold two slots of one process.

        Raises:
            AuditFailure: a guarantee is broken.
        """
        if self._complaints:
            raise AuditFailure("; ".join(self._complaints))
        reader = MemoryJournal(self._disk)
        found = audit(reader, unique=unique)
        require_no_equivocation(self.exposed)
        require_kept(reader, self.exposed)
        require_acknowledged(found, self.acknowledged)

    def _on_released(self, stage: Stage, assignment: Assignment) -> None:
        key = assignment.process, stage
        follows = self._released.get(key, assignment.slot - 1) + 1 == assignment.slot
        self._require(follows, f"order of {stage.name}", assignment)
        self._released[key] = assignment.slot

    def _require(self, holds: bool, guarantee: str, assignment: Assignment) -> None:
        if not holds:
            self._complaints.append(f"{guarantee}: slot {assignment.slot} of {assignment.process}")
