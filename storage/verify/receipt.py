"""The receipt of a slot: there once the slot is published, and for exactly its items."""

from __future__ import annotations

from protocol.assignment import Assignment
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
    expected = [assignment.message_id, *(c.id for c in assignment.commitments)]
    if acknowledged != expected:
        findings.add(Fault.RECEIPT, "it acknowledges other items", process, slot)
