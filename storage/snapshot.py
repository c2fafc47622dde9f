"""One moment of a store: point reads and runs, within one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

import lmdb

from protocol.assignment import Assignment
from protocol.commitment import RSA_SCHEMES, Commitment
from protocol.errors import CorruptRecord, NotFound
from protocol.ids import Id, digest_id
from storage.continuity import work_of
from storage.journal import Head, Receipt, Work
from storage.records import (
    Owner,
    Signatures,
    StoredBody,
    unpack_body,
    unpack_commitments,
    unpack_head,
    unpack_index,
    unpack_owner,
    unpack_pin,
    unpack_receipt,
    unpack_work,
)
from storage.sealing import corrupt
from storage.tables import (
    COMMITMENTS,
    HEADS,
    INDEX,
    MESSAGES,
    META,
    RECEIPTS,
    SLOTS,
    Tables,
    index_key,
    owner_key,
    slot_key,
)

Owners = dict[bytes, Owner]


class Snapshot:
    """Reads within one transaction.

    Args:
        transaction: read or write.
        tables: the databases.
        owners: public keys met so far, by address; shared between snapshots. They never
            change, and are few: one per wallet that ever signed here.
    """

    __slots__ = ("_owners", "_tables", "_transaction")

    def __init__(
        self, transaction: lmdb.Transaction[bytes], tables: Tables, owners: Owners
    ) -> None:
        self._transaction = transaction
        self._tables = tables
        self._owners = owners

    def get(self, table: bytes, key: bytes) -> bytes | None:
        """Return a record as it is kept, or None."""
        return self._transaction.get(key, db=self._tables[table])

    def find_head(self, process: Id) -> Head | None:
        """Return where `process` stands, or None when it is not known here."""
        record = self.get(HEADS, process)
        return None if record is None else unpack_head(process, record)

    def head(self, process: Id) -> Head:
        """Return where `process` stands.

        Raises:
            NotFound: it is not known here.
        """
        head = self.find_head(process)
        if head is None:
            raise NotFound(f"process {process} is not in this store")
        return head

    def slot_of(self, process: Id, message_id: Id) -> int | None:
        """Return the first slot of a message, or None."""
        key = index_key(process, message_id)
        record = self.get(INDEX, key)
        return None if record is None else unpack_index(key, record)

    def body(self, message_id: bytes) -> StoredBody | None:
        """Return a message's record, or None."""
        record = self.get(MESSAGES, message_id)
        return None if record is None else unpack_body(message_id, record)

    def names_file(self, message_id: Id, name: str) -> bool:
        """Tell whether a message's record names a file; a damaged one may."""
        try:
            stored = self.body(message_id)
        except CorruptRecord:
            return True
        return stored is not None and stored.file == name

    def work(self, process: Id, record: bytes) -> Work:
        """Read a record of work, or work it out from the head when it is damaged.

        One damaged record must not hide the work of all others. When the head is damaged
        too, everything counts as work: who takes it up will meet that head.
        """
        with suppress(CorruptRecord):
            return unpack_work(process, record)
        with suppress(CorruptRecord, NotFound):
            return work_of(self.head(process)) or Work(process, None, None)
        return Work(process, 0, 0)

    def receipt(self, process: Id, slot: int) -> Receipt | None:
        """Return the receipt of a slot, or None."""
        key = slot_key(process, slot)
        record = self.get(RECEIPTS, key)
        return None if record is None else unpack_receipt(process, key, record)

    def signed(self, process: Id, slot: int) -> Assignment:
        """Return the assignment of a slot at or below the stored head."""
        return next(self.signed_run(process, slot, slot))

    def signed_run(self, process: Id, first: int, last: int) -> Iterator[Assignment]:
        """Yield stored assignments `first`..`last`; `last` is not above the stored head.

        Raises:
            CorruptRecord: a record is missing or does not match its digest.
        """
        signatures = self._run(COMMITMENTS, process, first, last)
        for key, record in self._run(SLOTS, process, first, last):
            signed = unpack_commitments(*next(signatures))
            yield unpack_pin(process, key, record, self._commitments(signed))

    def pinned_run(self, process: Id, first: int, last: int) -> Iterator[Assignment]:
        """Yield pinned assignments `first`..`last`, unsigned; `last` is not above the head.

        Raises:
            CorruptRecord: a record is missing or does not match its digest.
        """
        for key, record in self._run(SLOTS, process, first, last):
            yield unpack_pin(process, key, record)

    def above(self, table: bytes, after: bytes | None, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` (key, record) of a table, from the first key above `after`."""
        with self._transaction.cursor(self._tables[table]) as cursor:
            found = cursor.first() if after is None else cursor.set_range(after + b"\0")
            return list(islice(cursor.iternext(), limit)) if found else []

    def count(self, table: bytes) -> int:
        """Return the number of records in a table, without walking it."""
        return self._transaction.stat(self._tables[table])["entries"]

    def _run(
        self, table: bytes, process: Id, first: int, last: int
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, record) of consecutive slots, each of which must be there."""
        with self._transaction.cursor(self._tables[table]) as cursor:
            found = cursor.set_key(slot_key(process, first))
            for slot in range(first, last + 1):
                key = slot_key(process, slot)
                if not found or cursor.key() != key:
                    raise corrupt(table, key, "is missing")
                yield key, cursor.value()
                found = cursor.next()

    def _commitments(self, signed: Signatures) -> tuple[Commitment, ...]:
        device = signed.device
        return tuple(
            _commitment(device, address, signature, self._owner(address).owner)
            for address, signature in signed.pairs
        )

    def _owner(self, address: bytes) -> Owner:
        owner = self._owners.get(address)
        if owner is None:
            key = owner_key(Id(address))
            record = self.get(META, key)
            if record is None:
                raise corrupt(META, key, f"of public key {Id(address)} is missing")
            owner = self._owners[address] = unpack_owner(key, record)
        return owner


def _commitment(device: str, address: bytes, signature: bytes, owner: bytes) -> Commitment:
    kind = RSA_SCHEMES[device]
    return Commitment(digest_id(signature), Id(address), device, kind, owner, signature)
