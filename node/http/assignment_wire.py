"""An assignment with httpsig, by hand: it is written once per scheduled message."""

from __future__ import annotations

from binascii import b2a_base64

from protocol.assignment import DEFAULT_PATH, VARIANT, Assignment
from protocol.codecs.assignment import tabm
from protocol.codecs.signed_wire import LABEL, to_wire
from protocol.codecs.wire import Wire
from protocol.commitment import ANS104

_INPUT = b"signature-input"
_inputs: dict[tuple[bytes, str], bytes] = {}
"""What follows the label in `signature-input`: the same for all assignments that one wallet signs
under one chain rule. No more entries than we have wallets, times three."""


def assignment_wire(assignment: Assignment) -> Wire:
    """Return what says an assignment with httpsig, its message linked.

    It is what `to_wire` gives, at a tenth of its cost where an assignment is of the usual
    kind: an ANS-104 item by one wallet, without a path that somebody chose.
    """
    commitments = assignment.commitments
    usual = (assignment.path, assignment.variant) == (DEFAULT_PATH, VARIANT)
    if not usual or len(commitments) != 1 or commitments[0].device != ANS104:
        return to_wire(tabm(assignment), bundle=False)
    (commitment,) = commitments
    label = LABEL + commitment.id.ascii.lower()
    signature = b"%s=:%s:" % (label, b2a_base64(commitment.signature, newline=False))
    fields = assignment.tags()
    fields.append((b"signature", signature))
    fields.append((_INPUT, b"%s=%s" % (label, _input(assignment, commitment.owner))))
    return Wire(tuple(fields))


def _input(assignment: Assignment, owner: bytes) -> bytes:
    kind = owner, assignment.chain
    found = _inputs.get(kind)
    if found is None:
        headers = dict(to_wire(tabm(assignment), bundle=False).headers)
        found = _inputs[kind] = headers[_INPUT].partition(b"=")[2]
    return found
