"""Compare-and-append: how a head moves on, as pure functions; what does not follow is Fenced."""

from __future__ import annotations

from collections.abc import Callable

from protocol.assignment import EPOCH, Assignment, Block
from protocol.chain import chain_rule
from protocol.errors import Fenced
from protocol.ids import Id
from protocol.terms import Terms
from storage.journal import Batch, Head, Pin, Receipt, Work

Heads = dict[Id, Head]
StoredId = Callable[[Id, int], Id]
"""Gives the ID of a process's stored assignment, by its slot."""


def advance(batch: Batch, find: Callable[[Id], Head | None], stored_id: StoredId) -> Heads:
    """Return the heads that `batch` leaves behind.

    Args:
        batch: what is to be written.
        find: gives the head of a process; called once for each.
        stored_id: called for each pin under a serial chain rule.

    Raises:
        Fenced: an entry does not continue the head of its process.
    """
    heads: Heads = {}
    for pin in batch.pins:
        process = pin.assignment.process
        heads[process] = after_pin(heads.get(process) or find(process), pin, stored_id)
    for assignment in batch.signed:
        process = assignment.process
        head = heads.get(process) or find(process)
        heads[process] = after_signature(_known(head, process), assignment)
    for receipt in batch.receipts:
        process = receipt.process
        head = heads.get(process) or find(process)
        heads[process] = after_receipt(_known(head, process), receipt)
    return heads


def after_pin(head: Head | None, pin: Pin, stored_id: StoredId) -> Head:
    """Return the head once `pin` holds its slot.

    Under a serial chain rule the slot before must be stored, and not just by the same batch.

    Raises:
        Fenced: it is not the next slot, breaks the chain, or goes back in time.
    """
    assignment = pin.assignment
    if head is None or pin.terms is not None:
        head = _unpinned(head, pin)
    _require(assignment.slot == head.pinned + 1, assignment, "is not the next to pin")
    terms = head.terms
    kept = (assignment.chain, assignment.variant, assignment.epoch, assignment.commitments)
    fixed = (terms.chain, terms.variant, EPOCH, ())
    _require(kept == fixed, assignment, "departs from the terms of its process")
    link = _next_link(head, assignment, stored_id)
    _require(assignment.link == link, assignment, "breaks the chain")
    block = assignment.block
    forward = assignment.timestamp >= head.timestamp and block.height >= head.block.height
    _require(forward, assignment, "goes back in time")
    return Head(
        head.process,
        terms,
        assignment.slot,
        head.stored,
        head.published,
        link,
        assignment.timestamp,
        block,
    )


def after_signature(head: Head, assignment: Assignment) -> Head:
    """Return the head once the signed `assignment` is stored.

    Raises:
        Fenced: it is not the next slot to store, is not pinned, or lacks a signer.
    """
    next_up = head.stored + 1 == assignment.slot <= head.pinned
    _require(next_up, assignment, "is not the next to store")
    agreed = [(signer, head.terms.device) for signer in head.terms.signers]
    signed = [(commitment.committer, commitment.device) for commitment in assignment.commitments]
    _require(signed == agreed, assignment, "is not signed as its process asks")
    return _moved(head, stored=assignment.slot, published=head.published)


def after_receipt(head: Head, receipt: Receipt) -> Head:
    """Return the head once `receipt` is kept.

    Raises:
        Fenced: it is not for the next slot to publish, or that is not stored.
    """
    next_up = head.published + 1 == receipt.slot <= head.stored
    _require(next_up, receipt, "is not the next to publish")
    return _moved(head, stored=head.stored, published=receipt.slot)


def require_same(assignment: Assignment, same: bool) -> None:
    """Insist that what was signed is what was pinned.

    Raises:
        Fenced: it is not.
    """
    _require(same, assignment, "is not what was pinned")


def work_of(head: Head) -> Work | None:
    """Return what is left to do at `head`, or None."""
    unsigned = head.stored + 1 if head.stored < head.pinned else None
    unpublished = head.published + 1 if head.published < head.stored else None
    if unsigned is unpublished is None:
        return None
    return Work(head.process, unsigned, unpublished)


def _next_link(head: Head, assignment: Assignment, stored_id: StoredId) -> str:
    rule, before = chain_rule(head.terms.chain), None
    if rule.serial and head.pinned >= 0:
        _require(head.stored == head.pinned, assignment, "follows one that is not stored")
        before = stored_id(head.process, head.stored)
    return rule.next(head.link, assignment.message_id, before)


def _unpinned(head: Head | None, pin: Pin) -> Head:
    """The head of a process that has nothing yet, from its first pin."""
    first = pin.assignment
    new = head is None and first.slot == 0 and first.message_id == first.process
    _require(new, first, "does not begin a process")
    terms: Terms | None = pin.terms
    if terms is None or not terms.signers:
        raise Fenced(f"slot 0 of {first.process} carries no terms")
    return Head(first.process, terms, -1, -1, -1, "", 0, Block())


def _moved(head: Head, stored: int, published: int) -> Head:
    process, terms, pinned, _, _, link, timestamp, block = head
    return Head(process, terms, pinned, stored, published, link, timestamp, block)


def _known(head: Head | None, process: Id) -> Head:
    if head is None:
        raise Fenced(f"process {process} has nothing pinned")
    return head


def _require(holds: bool, entry: Assignment | Receipt, complaint: str) -> None:
    if not holds:
        raise Fenced(f"slot {entry.slot} of process {entry.process} {complaint}")
