"""The databases of one shard, and how their keys are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocol.ids import Id

if TYPE_CHECKING:
    from lmdb import _Database

Tables = dict[bytes, "_Database"]
"""Handles of an open environment's databases, by name."""

SLOTS = b"slots"
COMMITMENTS = b"commitments"
MESSAGES = b"messages"
INDEX = b"index"
HEADS = b"heads"
WORK = b"work"
RECEIPTS = b"receipts"
LOCATIONS = b"locations"
FOREIGN = b"foreign"
META = b"meta"
TABLES = (
    SLOTS,
    COMMITMENTS,
    MESSAGES,
    INDEX,
    HEADS,
    WORK,
    RECEIPTS,
    LOCATIONS,
    FOREIGN,
    META,
)

OWNERSHIP = b"ownership"
"""Key in `META`: who may write, on which machine."""
TALLY = b"tally"
"""Key in `META`: how many records the heads account for."""
OWNER = b"owner:"
"""Keys in `META` that begin so end with an address: the public key it is the digest of."""


def slot_key(process: Id, slot: int) -> bytes:
    """40 bytes that sort by process, then by slot: in slots, commitments and receipts."""
    return process + slot.to_bytes(8, "big")


def index_key(process: Id, message_id: Id) -> bytes:
    """64 bytes naming a message within a process."""
    return process + message_id


def owner_key(address: Id) -> bytes:
    """Key in `META` of the public key that an address is the digest of."""
    return OWNER + address
