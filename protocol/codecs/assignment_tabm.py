"""Assignments as messages, with their commitments."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from protocol.assignment import LEGACY_VARIANT, Assignment
from protocol.codecs import ans104_assignment, httpsig_assignment
from protocol.codecs.ans104 import parse
from protocol.codecs.ans104_tabm import tabm_of
from protocol.commitment import HTTPSIG
from protocol.tabm import COMMITMENTS, Tabm

_BODY, _LINK = b"body", b"body+link"
_SLOT_TYPE = b'slot="integer"'


def tabm(assignment: Assignment, body: Tabm | None = None) -> dict[bytes, bytes | Tabm]:
    """Return a signed assignment as a message with its commitments.

    One of variant ``ao.TN.1`` names neither slot nor body where it is signed: they stand beside
    what is committed, so that whoever reads schedules finds them in both.

    Args:
        assignment: signed.
        body: its message with commitments, to be carried inline; None leaves it a link.
    """
    keys = _legacy(assignment) if assignment.variant == LEGACY_VARIANT else _current(assignment)
    if body is not None:
        del keys[_LINK]
        keys[_BODY] = body
    return keys


def _current(assignment: Assignment) -> dict[bytes, bytes | Tabm]:
    tags = assignment.tags()
    keys: dict[bytes, bytes | Tabm] = dict(tags)
    keys[COMMITMENTS] = _commitments(assignment, tuple(name for name, _ in tags))
    return keys


def _legacy(assignment: Assignment) -> dict[bytes, bytes | Tabm]:
    signed = [
        tabm_of(parse(ans104_assignment.encode(assignment, each)))
        for each in assignment.commitments
    ]
    commitments: dict[bytes, bytes | Tabm] = {}
    for item in signed:
        found = item[COMMITMENTS]
        if isinstance(found, Mapping):  # which it always is
            commitments |= found
    slot = b"%d" % assignment.slot
    beside = {b"ao-types": _SLOT_TYPE, b"slot": slot, _LINK: assignment.message_id.ascii}
    return {**signed[0], **beside, COMMITMENTS: commitments}


def _commitments(assignment: Assignment, names: tuple[bytes, ...]) -> dict[bytes, bytes | Tabm]:
    covered = _committed(names)
    found: dict[bytes, bytes | Tabm] = {}
    for commitment in assignment.commitments:
        httpsig = commitment.device == HTTPSIG
        fields = (httpsig_assignment if httpsig else ans104_assignment).commitment_fields
        found[commitment.id.ascii] = {**fields(commitment), b"committed": dict(covered)}
    if assignment.commitments[0].device == HTTPSIG:
        mac = httpsig_assignment.unsigned_id(assignment)
        found[mac.ascii] = {**httpsig_assignment.hmac_fields(mac), b"committed": dict(covered)}
    return found


@lru_cache(maxsize=8)
def _committed(names: tuple[bytes, ...]) -> Mapping[bytes, bytes]:
    numbered = {b"%d" % number: name.removesuffix(b"+link") for number, name in enumerate(names, 1)}
    return {**numbered, b"ao-types": b'.="list"'}
