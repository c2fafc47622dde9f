"""Assignments committed with ``ans104@1.0``: what is signed, and the item that is published."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from functools import lru_cache

from protocol.assignment import LEGACY_VARIANT, Assignment, Tags
from protocol.codecs import ans104, legacy_assignment
from protocol.codecs.ans104 import owner_prefix
from protocol.codecs.avro import encode_tags
from protocol.codecs.deephash import fold
from protocol.codecs.signatures import RSA
from protocol.commitment import Commitment


def signature_data(assignment: Assignment, owner: bytes) -> bytes:
    """Return the 48 bytes that the wallet with public key `owner` signs.

    The deep hash of a data item without target or data, whose tags are the assignment's
    keys. Source: HyperBEAM's `ans104@1.0` commitment of an assignment; the scheduler unit's
    item for variant ``ao.TN.1``.
    """
    if assignment.original:
        return ans104.parse(assignment.original).signature_data()
    if assignment.variant == LEGACY_VARIANT:
        anchor = legacy_assignment.anchor(assignment)
        tags = encode_tags(legacy_assignment.tags(assignment))
        return fold(owner_prefix(RSA, owner), b"", anchor, tags, b"")
    return fold(_prefix(owner), encode_tags(assignment.tags()), b"")


def encode(assignment: Assignment, commitment: Commitment) -> bytes:
    """Return the signed data item that carries the assignment to Arweave."""
    if assignment.original:
        return assignment.original
    if assignment.variant == LEGACY_VARIANT:
        anchor = b"\x01" + legacy_assignment.anchor(assignment)
        return _item(commitment, anchor, legacy_assignment.tags(assignment))
    return _item(commitment, b"\x00", assignment.tags())


def commitment_fields(commitment: Commitment) -> dict[bytes, bytes]:
    """Return what a commitment says about itself in a message, but for what it covers."""
    return {
        b"bundle": b"false",
        b"commitment-device": commitment.device.encode(),
        b"committer": commitment.committer.ascii,
        b"keyid": _keyid(commitment.owner),
        b"signature": urlsafe_b64encode(commitment.signature).rstrip(b"="),
        b"type": commitment.type.encode(),
    }


def _item(commitment: Commitment, anchor: bytes, tags: Tags) -> bytes:
    # Spelled out: making an `Item` of it first takes twice as long, once per assignment.
    tag_bytes = encode_tags(tags)
    sizes = len(tags).to_bytes(8, "little") + len(tag_bytes).to_bytes(8, "little")
    return b"".join(
        (b"\x01\x00", commitment.signature, commitment.owner, b"\x00", anchor, sizes, tag_bytes)
    )


@lru_cache(maxsize=64)
def _prefix(owner: bytes) -> bytes:
    # Up to the empty target and anchor nothing changes from one assignment to the next.
    return fold(owner_prefix(RSA, owner), b"", b"")


@lru_cache(maxsize=64)
def _keyid(owner: bytes) -> bytes:
    return b"publickey:" + urlsafe_b64encode(owner).rstrip(b"=")
