"""One part: a run of slots of one process, and its share of the index."""

from __future__ import annotations

from collections.abc import Iterator

from protocol.assignment import Assignment
from storage.journal import Head
from storage.reader import LmdbReader
from storage.snapshot import Snapshot
from storage.verify.assignment import check_signatures, check_step
from storage.verify.index import check_indexed, check_share
from storage.verify.message import check_message
from storage.verify.receipt import check_receipt
from storage.verify.report import UNREADABLE, Findings
from storage.verify.tasks import Part


def check_part(reader: LmdbReader, part: Part, findings: Findings) -> None:
    """Check every slot of a part. The part before proves the link that this one starts from.

    The records are read in one short transaction. Signatures, and messages, which may be
    large, come after it: a long one would make the file grow beside a writer.
    """
    with reader.snapshot() as snapshot:
        head = snapshot.head(part.process)
        previous = _before(snapshot, part, head)
        run = list(_run(snapshot, part, head, findings))
        for assignment in run:
            check_indexed(snapshot, assignment, findings)
            if assignment.slot <= head.published:
                check_receipt(snapshot, assignment, findings)
        check_share(snapshot, part, findings)
    for assignment in run:
        if previous and previous.slot != assignment.slot - 1:
            previous = None
        _check_slot(reader, head, previous, assignment, findings)
        previous = assignment


def _check_slot(
    reader: LmdbReader,
    head: Head,
    previous: Assignment | None,
    assignment: Assignment,
    findings: Findings,
) -> None:
    try:
        check_step(previous, assignment, head.terms, findings)
        if assignment.slot <= head.stored:
            findings.assignments += 1
            check_signatures(assignment, head.terms, findings)
        check_message(reader, assignment, head.terms, findings)
    except UNREADABLE as exc:
        findings.add_unreadable(exc, assignment.process, assignment.slot)


def _before(snapshot: Snapshot, part: Part, head: Head) -> Assignment | None:
    """The slot before the part; when it cannot be read, its own part reports that."""
    if part.first == 0:
        return None
    slot = part.first - 1
    read = snapshot.signed_run if slot <= head.stored else snapshot.pinned_run
    try:
        return next(read(part.process, slot, slot))
    except UNREADABLE:
        return None


def _run(snapshot: Snapshot, part: Part, head: Head, findings: Findings) -> Iterator[Assignment]:
    """Yield the slots of the part that can be read, signed as far as stored; report the rest."""
    slot = part.first
    while slot <= part.last:
        signed = slot <= head.stored
        read = snapshot.signed_run if signed else snapshot.pinned_run
        last = min(part.last, head.stored) if signed else part.last
        try:
            for assignment in read(part.process, slot, last):
                yield assignment
                slot += 1
        except UNREADABLE as exc:
            findings.add_unreadable(exc, part.process, slot)
            slot += 1
