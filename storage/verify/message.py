"""The message of a slot: there, whole, signed, and for this process."""

from __future__ import annotations

from protocol.assignment import Assignment
from protocol.chain import LegacyChain
from protocol.codecs.signatures import SIGNATURE_TYPES
from protocol.errors import SchedulerError
from protocol.message import Message, Verified, verify
from protocol.terms import DEFAULTS, Defaults, Terms, spawn_terms
from storage.reader import LmdbReader
from storage.verify.report import Fault, Findings

_ANY_TYPE = frozenset(SIGNATURE_TYPES)
"""What was accepted when it was stored is for the operator to choose."""


def check_message(
    reader: LmdbReader, assignment: Assignment, terms: Terms, findings: Findings
) -> None:
    """Read the message of a slot as if it came from a stranger, and check where it belongs."""
    process, slot = assignment.process, assignment.slot
    try:
        body = reader.body(assignment.message_id)
        findings.messages += 1
        message = Message.decode(body.encoded, body.codec)
        findings.signatures += len(message.commitments)
        verified = verify(message, accept=_ANY_TYPE)
    except SchedulerError as exc:
        findings.add(Fault.MESSAGE, exc.detail, process, slot)
        return
    for complaint in _complaints(verified, assignment, terms):
        findings.add(Fault.MESSAGE, complaint, process, slot)


def _complaints(verified: Verified, assignment: Assignment, terms: Terms) -> list[str]:
    complaints: list[str] = []
    if verified.message_id != assignment.message_id:
        complaints.append(f"the message kept here is {verified.message_id}")
    if verified.process != assignment.process:
        complaints.append(f"the message is for process {verified.process}")
    if verified.path != assignment.path:
        complaints.append("the assignment's path is not the message's")
    if assignment.slot == 0:
        complaints += _broken_terms(verified, terms)
    return complaints


def _broken_terms(verified: Verified, terms: Terms) -> list[str]:
    # What the process did not ask for was the node's choice then, whatever it is now.
    chosen = DEFAULTS if terms.chain == LegacyChain.name else Defaults(terms.chain, terms.device)
    try:
        asked = spawn_terms(verified.keys, terms.signers, chosen)
    except SchedulerError as exc:
        return [f"the process message does not ask for its terms: {exc.detail}"]
    return [] if asked == terms else ["the process message asks for other terms"]
