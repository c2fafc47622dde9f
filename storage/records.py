"""How each value is written as a sealed record, and read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from protocol.assignment import Assignment, Block
from protocol.commitment import Commitment
from protocol.ids import Id
from protocol.terms import Terms
from storage.journal import Head, Receipt, Work
from storage.sealing import SLOT_BYTES, seal, unseal
from storage.tables import (
    COMMITMENTS,
    HEADS,
    INDEX,
    MESSAGES,
    META,
    RECEIPTS,
    SLOTS,
    WORK,
)

_NO_NAME = b"\xa0"
_NO_COMMITMENTS: tuple[Commitment, ...] = ()


class Owner(NamedTuple):
    """A public key, kept once per address; commitments name the address only.

    Attributes:
        type: how it signed first; each slot's device says how it signed there.
        owner: the key.
    """

    type: str
    owner: bytes


class Signatures(NamedTuple):
    """What is kept per signed slot: the device, and (address, signature) pairs."""

    device: str
    pairs: tuple[tuple[bytes, bytes], ...]


class StoredBody(NamedTuple):
    """A message's bytes, or the name of the file that holds them."""

    codec: str
    encoded: bytes
    file: str


def pack_pin(key: bytes, pinned: Assignment) -> bytes:
    """Record of an assignment without its commitments."""
    block = pinned.block
    return seal(
        SLOTS,
        key,
        (
            pinned.message_id,
            pinned.link,
            pinned.timestamp,
            block.height,
            block.timestamp,
            block.hash,
            pinned.path,
            pinned.chain,
            pinned.variant,
            pinned.epoch,
        ),
    )


def unpack_pin(
    process: Id, key: bytes, record: bytes, commitments: tuple[Commitment, ...] = _NO_COMMITMENTS
) -> Assignment:
    """Read an assignment of `process`; its slot is the end of the key."""
    message_id, link, timestamp, *rest = unseal(SLOTS, key, record)
    height, block_time, block_hash, path, chain, variant, epoch = rest
    return Assignment(
        process,
        int.from_bytes(key[-SLOT_BYTES:], "big"),
        Id(message_id),
        link,
        timestamp,
        Block(height, block_time, block_hash),
        path,
        chain,
        variant,
        epoch,
        commitments,
    )


def unpack_message_id(key: bytes, record: bytes) -> Id:
    """Read only which message a pinned slot holds."""
    return Id(unseal(SLOTS, key, record)[0])


def pack_commitments(key: bytes, commitments: Sequence[Commitment]) -> bytes:
    """Record of the signatures over the slot under the same key; all have one device."""
    pairs = [(commitment.committer, commitment.signature) for commitment in commitments]
    return seal(COMMITMENTS, key, (commitments[0].device, pairs))


def unpack_commitments(key: bytes, record: bytes) -> Signatures:
    """Read the signatures; whoever holds the public keys makes commitments of them."""
    return Signatures._make(unseal(COMMITMENTS, key, record))


def pack_owner(key: bytes, owner: Owner) -> bytes:
    """Record of a public key."""
    return seal(META, key, owner)


def unpack_owner(key: bytes, record: bytes) -> Owner:
    """Read a public key."""
    return Owner._make(unseal(META, key, record))


def pack_head(head: Head) -> bytes:
    """Record of where a process stands, with its terms."""
    terms = head.terms
    return seal(
        HEADS,
        head.process,
        (
            head.pinned,
            head.stored,
            head.published,
            head.link,
            head.timestamp,
            head.block.height,
            head.block.timestamp,
            head.block.hash,
            terms.signers,
            terms.chain,
            terms.device,
            terms.variant,
        ),
    )


def unpack_head(process: Id, record: bytes) -> Head:
    """Read where a process stands."""
    pinned, stored, published, link, timestamp, *rest = unseal(HEADS, process, record)
    height, block_time, block_hash, signers, chain, device, variant = rest
    terms = Terms(tuple(Id(signer) for signer in signers), chain, device, variant)
    block = Block(height, block_time, block_hash)
    return Head(process, terms, pinned, stored, published, link, timestamp, block)


def pack_body(message_id: Id, body: StoredBody) -> bytes:
    """Record of a message."""
    return seal(MESSAGES, message_id, body)


def unpack_body(message_id: bytes, record: bytes) -> StoredBody:
    """Read a message's record."""
    return StoredBody._make(unseal(MESSAGES, message_id, record))


def is_inline(record: bytes) -> bool:
    """Tell from its last byte whether a message's record holds the message, and names no file.

    The name of the file comes last. Empty, it is this one byte, with which no name ends.
    """
    return record.endswith(_NO_NAME)


def pack_index(key: bytes, slot: int) -> bytes:
    """Record of the first slot of a message."""
    return seal(INDEX, key, slot)


def unpack_index(key: bytes, record: bytes) -> int:
    """Read the first slot of a message."""
    slot: int = unseal(INDEX, key, record)
    return slot


def pack_receipt(key: bytes, receipt: Receipt) -> bytes:
    """Record of what a bundler acknowledged."""
    return seal(RECEIPTS, key, (receipt.timestamp, receipt.items, receipt.carriers))


def unpack_receipt(process: Id, key: bytes, record: bytes) -> Receipt:
    """Read a receipt of `process`; its slot is the end of the key."""
    timestamp, items, *rest = unseal(RECEIPTS, key, record)
    slot = int.from_bytes(key[-SLOT_BYTES:], "big")
    acknowledged = tuple((Id(item), text) for item, text in items)
    # Receipts that were written before there were carriers end here.
    carriers = tuple((Id(inside), Id(item)) for inside, item in (rest[0] if rest else ()))
    return Receipt(process, slot, timestamp, acknowledged, carriers)


def pack_work(work: Work) -> bytes:
    """Record of what a process still has to do."""
    return seal(WORK, work.process, (work.unsigned, work.unpublished))


def unpack_work(process: Id, record: bytes) -> Work:
    """Read what a process still has to do."""
    unsigned, unpublished = unseal(WORK, process, record)
    return Work(process, unsigned, unpublished)
