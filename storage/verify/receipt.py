"""The receipt of a slot: there once the slot is published, and for exactly its items."""

from __future__ import annotations

from contextlib import suppress

from protocol.assignment import Assignment
from protocol.codecs.assignment import published_ids
from protocol.commitment import HTTPSIG
from protocol.ids import Id
from storage.journal import ITEM_CODEC
from storage.snapshot import Snapshot
from storage.verify.report import UNREADABLE, Fault, Findings


def check_receipt(snapshot: Snapshot, assignment: Assignment, findings: Findings) -> None:
    """Check that a published slot's receipt acknowledges its message and its assignment."""
    process, slot = assignment.process, assignment.slot
    try:
        receipt = snapshot.receipt(process, slot)
    except UNREADABLE as exc:
        findings.add_unreadable(exc, process, slot, Fault.RECEIPT)
        return
    if receipt is None:
        findings.add(Fault.RECEIPT, "the slot counts as published without one", process, slot)
        return
    findings.receipts += 1
    acknowledged = [item for item, _ in receipt.items]
    if acknowledged != [assignment.message_id, *published_ids(assignment)]:
        findings.add(Fault.RECEIPT, "it acknowledges other items", process, slot)
    if {inside for inside, _ in receipt.carriers} != _carried(snapshot, assignment):
        findings.add(Fault.RECEIPT, "it names the carriers of other items", process, slot)


def _carried(snapshot: Snapshot, assignment: Assignment) -> set[Id]:
    """The IDs of what is published inside another item; a damaged message is told elsewhere."""
    inside: set[Id] = set()
    if assignment.commitments[0].device == HTTPSIG:
        inside.add(assignment.id)
    with suppress(*UNREADABLE):
        body = snapshot.body(assignment.message_id)
        if body is not None and body.codec != ITEM_CODEC:
            inside.add(assignment.message_id)
    return inside
