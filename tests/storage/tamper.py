"""Ways to falsify a closed store so that every digest still fits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from protocol.assignment import Assignment
from protocol.ids import Id
from storage import Head, Receipt, open_reader
from storage.records import Owner, pack_commitments, pack_head, pack_owner, pack_pin, pack_receipt
from storage.tables import owner_key, slot_key
from tests.storage.raw import Raw


def forge_pin(root: Path, assignment: Assignment, **changes: object) -> None:
    """Replace fields of a pinned slot."""
    key = slot_key(assignment.process, assignment.slot)
    put(root, "slots", key, pack_pin(key, replace(assignment, **changes)))


def forge_signature(root: Path, assignment: Assignment) -> None:
    """Replace the signatures of a slot by those that `assignment` carries."""
    key = slot_key(assignment.process, assignment.slot)
    put(root, "commitments", key, pack_commitments(key, assignment.commitments))
    for commitment in assignment.commitments:
        key = owner_key(commitment.committer)
        put(root, "meta", key, pack_owner(key, Owner(commitment.type, commitment.owner)))


def forge_head(root: Path, process: Id, **changes: object) -> None:
    """Replace fields of a head."""
    put(root, "heads", process, pack_head(head(root, process)._replace(**changes)))


def forge_receipt(root: Path, receipt: Receipt) -> None:
    """Replace a receipt."""
    key = slot_key(receipt.process, receipt.slot)
    put(root, "receipts", key, pack_receipt(key, receipt))


def head(root: Path, process: Id) -> Head:
    """Return a head."""
    with open_reader(root) as reader:
        return reader.head(process)


def put(root: Path, table: str, key: bytes, record: bytes) -> None:
    """Write a record as it is."""
    with Raw(root, table) as raw:
        raw.put(key, record)


def get(root: Path, table: str, key: bytes) -> bytes:
    """Read a record as it is."""
    with Raw(root, table) as raw:
        record = raw.get(key)
    assert record is not None
    return bytes(record)


def remove(root: Path, table: str, key: bytes) -> None:
    """Remove a record."""
    with Raw(root, table) as raw:
        assert raw.delete(key)


def flip(root: Path, table: str, key: bytes, place: int = -1) -> None:
    """Flip one bit of a record, in whichever shard has it."""
    for shard in root.glob("shard-[0-9][0-9][0-9]"):
        with Raw(root, table, shard.name) as raw:
            if (found := raw.get(key)) is not None:
                record = bytearray(found)
                record[place] ^= 1
                raw.put(key, bytes(record))
                return
    raise KeyError(key)
