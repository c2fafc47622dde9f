"""Assignments as messages, with their commitments."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from protocol.assignment import Assignment
from protocol.codecs import ans104_assignment, httpsig_assignment
from protocol.commitment import HTTPSIG
from protocol.tabm import COMMITMENTS, Tabm

_BODY, _LINK = b"body", b"body+link"


def tabm(assignment: Assignment, body: Tabm | None = None) -> dict[bytes, bytes | Tabm]:
    """Return a signed assignment of variant ``ao.N.1`` as a message with its commitments.

    Args:
        assignment: signed.
        body: its message with commitments, to be carried inline; None leaves it a link.
    """
    tags = assignment.tags()
    keys: dict[bytes, bytes | Tabm] = dict(tags)
    if body is not None:
        del keys[_LINK]
        keys[_BODY] = body
    keys[COMMITMENTS] = _commitments(assignment, tuple(name for name, _ in tags))
    return keys


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
