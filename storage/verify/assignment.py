"""One assignment: it continues its chain, keeps its process's terms, and is signed."""

from __future__ import annotations

from protocol.assignment import EPOCH, Assignment
from protocol.chain import chain_rule
from protocol.codecs.assignment import verifies
from protocol.terms import Terms
from storage.verify.report import Fault, Findings


def check_step(
    previous: Assignment | None, assignment: Assignment, terms: Terms, findings: Findings
) -> None:
    """Check a slot against the one before; `previous` is None when that cannot be read."""
    process, slot = assignment.process, assignment.slot
    if (assignment.chain, assignment.variant, assignment.epoch) != (
        terms.chain,
        terms.variant,
        EPOCH,
    ):
        findings.add(Fault.TERMS, "chain rule, variant or epoch changed", process, slot)
    if slot and previous is None:
        return
    _check_link(previous, assignment, terms, findings)
    if previous is None:
        return
    if assignment.timestamp < previous.timestamp:
        findings.add(Fault.TIME, "the timestamp went back", process, slot)
    if assignment.block.height < previous.block.height:
        findings.add(Fault.TIME, "the block height went back", process, slot)


def _check_link(
    previous: Assignment | None, assignment: Assignment, terms: Terms, findings: Findings
) -> None:
    rule, before, place = chain_rule(terms.chain), None, (assignment.process, assignment.slot)
    if previous is not None and rule.serial:
        if not previous.commitments:
            findings.add(Fault.CHAIN, "it follows a slot that is not stored", *place)
            return
        before = previous.id
    link = rule.next(previous.link if previous else "", assignment.message_id, before)
    if assignment.link != link:
        findings.add(Fault.CHAIN, f"the link should be {link}", *place)


def check_signatures(assignment: Assignment, terms: Terms, findings: Findings) -> None:
    """Check that exactly the signers of the process signed, and signed this."""
    process, slot = assignment.process, assignment.slot
    signers = tuple(commitment.committer for commitment in assignment.commitments)
    if signers != terms.signers:
        findings.add(Fault.TERMS, "not signed by exactly its process's signers", process, slot)
    for commitment in assignment.commitments:
        if commitment.device != terms.device:
            findings.add(Fault.TERMS, f"signed with {commitment.device}", process, slot)
        findings.signatures += 1
        if not verifies(assignment, commitment):
            detail = f"the signature of {commitment.committer} does not verify"
            findings.add(Fault.SIGNATURE, detail, process, slot)
