"""Assignments committed with ``ans104@1.0``: what is signed, and the item that is published."""

from __future__ import annotations

from functools import lru_cache

from protocol.assignment import Assignment
from protocol.codecs.ans104 import owner_prefix
from protocol.codecs.avro import encode_tags
from protocol.codecs.deephash import fold
from protocol.codecs.signatures import RSA, signature_type
from protocol.commitment import Commitment
from protocol.ids import Id, digest_id
from protocol.terms import ANS104

TYPE = signature_type(RSA).name


def signature_data(assignment: Assignment, owner: bytes) -> bytes:
    """Return the 48 bytes that the wallet with public key `owner` signs.

    The deep hash of a data item without target, anchor or data, whose tags are the
    assignment's keys. Source: HyperBEAM's `ans104@1.0` commitment of an assignment.
    """
    return fold(_prefix(owner), encode_tags(assignment.tags()), b"")


def commit(owner: bytes, signature: bytes) -> Commitment:
    """Return the commitment that a signature over an assignment makes."""
    return Commitment(
        id=digest_id(signature),
        committer=_address(owner),
        device=ANS104,
        type=TYPE,
        owner=owner,
        signature=signature,
    )


def encode(assignment: Assignment, commitment: Commitment) -> bytes:
    """Return the signed data item that carries the assignment to Arweave."""
    # Spelled out: making an `Item` of it first takes twice as long, once per assignment.
    tags = assignment.tags()
    tag_bytes = encode_tags(tags)
    sizes = len(tags).to_bytes(8, "little") + len(tag_bytes).to_bytes(8, "little")
    return b"".join(
        (b"\x01\x00", commitment.signature, commitment.owner, b"\x00\x00", sizes, tag_bytes)
    )


@lru_cache(maxsize=64)
def _prefix(owner: bytes) -> bytes:
    # Up to the empty target and anchor nothing changes from one assignment to the next.
    return fold(owner_prefix(RSA, owner), b"", b"")


@lru_cache(maxsize=64)
def _address(owner: bytes) -> Id:
    return digest_id(owner)
