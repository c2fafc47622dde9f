"""One batch inside one write transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import lmdb

from protocol.assignment import Assignment
from protocol.commitment import Commitment
from protocol.errors import Fenced
from protocol.ids import Id
from storage.bodies import BodyFiles
from storage.continuity import Heads, advance, require_same, work_of
from storage.head_memory import HeadMemory
from storage.journal import Batch, Pin, Receipt
from storage.records import (
    Owner,
    StoredBody,
    pack_body,
    pack_commitments,
    pack_head,
    pack_index,
    pack_owner,
    pack_pin,
    pack_receipt,
    pack_work,
)
from storage.snapshot import Snapshot
from storage.tables import (
    COMMITMENTS,
    HEADS,
    INDEX,
    MESSAGES,
    META,
    RECEIPTS,
    SLOTS,
    TALLY,
    WORK,
    Tables,
    index_key,
    owner_key,
    slot_key,
)
from storage.tally import recorded

Records = dict[bytes, bytes]


class BatchWriter:
    """Write batches with compare-and-append. What does not follow is Fenced, before commit.

    Args:
        transaction: the write transaction; the caller commits it, or aborts on any error.
        tables: the databases.
        snapshot: reads within the same transaction.
        bodies: the files of large messages.
        memory: heads written by earlier batches.
    """

    def __init__(
        self,
        transaction: lmdb.Transaction[bytes],
        tables: Tables,
        snapshot: Snapshot,
        bodies: BodyFiles,
        memory: HeadMemory,
    ) -> None:
        self._transaction = transaction
        self._tables = tables
        self._snapshot = snapshot
        self._bodies = bodies
        self._memory = memory

    def write(self, batch: Batch) -> None:
        """Put the whole batch.

        Raises:
            Fenced: an entry does not continue its head, or its place is taken.
            CorruptRecord: a head does not match its digest.
        """
        snapshot, memory = self._snapshot, self._memory
        heads = advance(
            batch,
            lambda process: memory.find(snapshot, process),
            lambda process, slot: snapshot.signed(process, slot).id,
        )
        self._pins(batch.pins)
        self._signed(batch.signed)
        self._receipts(batch.receipts)
        self._replace(META, {TALLY: recorded(self._snapshot).after(batch).pack()})
        self._heads(heads)
        self._work(heads)

    def _heads(self, heads: Heads) -> None:
        records: Records = {}
        for process, head in heads.items():
            record = pack_head(head)
            records[process] = record
            self._memory.keep(process, record, head)
        self._replace(HEADS, records)

    def _work(self, heads: Heads) -> None:
        left = {process: work_of(head) for process, head in heads.items()}
        self._replace(WORK, {process: pack_work(work) for process, work in left.items() if work})
        for process, work in left.items():
            if work is None:
                self._transaction.delete(process, db=self._tables[WORK])

    def _pins(self, pins: Sequence[Pin]) -> None:
        slots: Records = {}
        first_slots: Records = {}
        for pin in pins:
            assignment = pin.assignment
            key = slot_key(assignment.process, assignment.slot)
            slots[key] = pack_pin(key, assignment)
            key = index_key(assignment.process, assignment.message_id)
            first_slots.setdefault(key, pack_index(key, assignment.slot))
        self._add(SLOTS, slots)
        self._replace(MESSAGES, self._new_bodies(pins))
        # A message that has a slot already keeps it: only its first one is indexed.
        self._put(INDEX, first_slots, overwrite=False)

    def _new_bodies(self, pins: Iterable[Pin]) -> Records:
        new: dict[Id, StoredBody] = {}
        for pin in pins:
            message_id = pin.assignment.message_id
            kept = new.get(message_id) or self._snapshot.body(message_id)
            if kept is None:
                new[message_id] = self._bodies.form(message_id, pin.body)
            elif not self._bodies.same(message_id, kept, pin.body):
                raise Fenced(f"message {message_id} is already kept with other bytes")
        for message_id, stored in new.items():
            if not self._bodies.present(stored):
                raise Fenced(f"the body of message {message_id} was not kept")
        return {message_id: pack_body(message_id, stored) for message_id, stored in new.items()}

    def _signed(self, signed: Iterable[Assignment]) -> None:
        commitments: Records = {}
        first_signatures: dict[Id, Commitment] = {}
        for assignment in signed:
            key = slot_key(assignment.process, assignment.slot)
            pinned = self._snapshot.get(SLOTS, key)
            require_same(assignment, pinned == pack_pin(key, assignment))
            commitments[key] = pack_commitments(key, assignment.commitments)
            for commitment in assignment.commitments:
                first_signatures.setdefault(commitment.committer, commitment)
        self._add(COMMITMENTS, commitments)
        self._replace(META, self._new_owners(first_signatures.values()))

    def _new_owners(self, commitments: Iterable[Commitment]) -> Records:
        owners: Records = {}
        for commitment in commitments:
            key = owner_key(commitment.committer)
            if self._snapshot.get(META, key) is None:
                owners[key] = pack_owner(key, Owner(commitment.type, commitment.owner))
        return owners

    def _receipts(self, receipts: Iterable[Receipt]) -> None:
        records: Records = {}
        for receipt in receipts:
            key = slot_key(receipt.process, receipt.slot)
            records[key] = pack_receipt(key, receipt)
        self._add(RECEIPTS, records)

    def _add(self, table: bytes, records: Records) -> None:
        """Put records whose keys must be free: beyond a head nothing may lie."""
        if self._put(table, records, overwrite=False) != len(records):
            raise Fenced(f"{table.decode()} holds records beyond a head")

    def _replace(self, table: bytes, records: Records) -> None:
        self._put(table, records, overwrite=True)

    def _put(self, table: bytes, records: Records, *, overwrite: bool) -> int:
        if not records:
            return 0
        with self._transaction.cursor(self._tables[table]) as cursor:
            _, added = cursor.putmulti(records.items(), overwrite=overwrite)
        return added
