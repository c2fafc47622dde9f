"""What belongs to no process: the database file itself, the totals, and the public keys."""

from __future__ import annotations

from pathlib import Path

from lmdb import verify as lmdb_file

from protocol.ids import digest_id
from storage.environment import data_file
from storage.journal import PAGE_LIMIT
from storage.reader import LmdbReader
from storage.records import unpack_owner
from storage.sealing import unseal
from storage.snapshot import Snapshot
from storage.tables import META, OWNER
from storage.tally import counted, recorded
from storage.verify.report import UNREADABLE, Fault, Findings


def check_foundation(reader: LmdbReader, findings: Findings) -> None:
    """Check one shard's file page by page, and the records in it that no process owns.

    The transaction is held all the while: a writer then reuses no page of the moment that
    the walk looks at.
    """
    with reader.snapshot() as snapshot:
        _check_file(reader, findings)
        _check_totals(snapshot, findings)
        _check_meta(snapshot, findings)


def file_complaints(file: Path) -> list[str]:
    """Walk a database file page by page, without mapping it; return what is wrong with it."""
    try:
        complaints: list[str] = lmdb_file.verify(str(file))  # type: ignore[no-untyped-call]
    except lmdb_file.VerifyError as exc:
        complaints = [str(exc)]
    return complaints


def _check_file(reader: LmdbReader, findings: Findings) -> None:
    file = data_file(reader.layout.shard(reader.shard))
    for complaint in file_complaints(file):
        findings.add(Fault.FILE, f"{file.parent.name}: {complaint}")


def _check_totals(snapshot: Snapshot, findings: Findings) -> None:
    try:
        expected = recorded(snapshot)
    except UNREADABLE as exc:
        findings.add_unreadable(exc)
        return
    found = counted(snapshot)
    if found != expected:
        findings.add(Fault.FILE, f"{found} was found, {expected} was written")


def _check_meta(snapshot: Snapshot, findings: Findings) -> None:
    # Ownership, totals, and one public key per wallet that ever signed here.
    for key, record in snapshot.above(META, None, PAGE_LIMIT):
        try:
            unseal(META, key, record)
            if key.startswith(OWNER) and digest_id(unpack_owner(key, record).owner) != key[6:]:
                findings.add(Fault.RECORD, "a public key is kept under another's address")
        except UNREADABLE as exc:
            findings.add_unreadable(exc)
