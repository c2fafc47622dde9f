"""Messages and assignments as facts that travel: plain tuples, and strictly read."""

from __future__ import annotations

from typing import Any

from protocol.assignment import Assignment, Block
from protocol.commitment import Commitment
from protocol.errors import MalformedFrame
from protocol.ids import Id
from protocol.message import Verified, received

Facts = tuple[Any, ...]
Shape = tuple[type, ...]

CODECS = frozenset({"ans104", "httpsig"})
MESSAGE: Shape = (bytes, bytes, bool, bytes, str, tuple)
ASSIGNMENT: Shape = (
    *(bytes, int, bytes, str, int),
    *(int, int, str),
    *(bytes, str, str, str, tuple),
)
_COMMITMENT: Shape = (bytes, bytes, str, str, bytes, bytes)


def require(shape: Shape, facts: Any) -> None:
    """Insist that facts have exactly these types; a boolean is no number.

    Raises:
        MalformedFrame: they are no tuple, more or fewer, or others.
    """
    if type(facts) is not tuple or tuple(map(type, facts)) != shape:
        raise MalformedFrame("a letter does not have the fields that it should have")


def message_facts(message: Verified) -> Facts:
    """Return everything about a message but its bytes, which travel beside the facts."""
    return (
        message.message_id,
        message.process,
        message.is_process,
        message.path,
        message.codec,
        message.committers,
    )


def read_message(facts: Facts, encoded: bytes) -> Verified:
    """Build the message of which these are the facts, whose types were looked at."""
    message_id, process, is_process, path, codec, committers = facts
    if codec not in CODECS:
        raise MalformedFrame(f"codec {codec[:40]!r} is not built")
    return received(
        message_id=Id(message_id),
        process=Id(process),
        is_process=is_process,
        path=path,
        codec=codec,
        encoded=encoded,
        committers=read_ids(committers),
    )


def read_ids(facts: Facts) -> tuple[Id, ...]:
    """Read several IDs."""
    require((bytes,) * len(facts), facts)
    return tuple(map(Id, facts))


def assignment_facts(assignment: Assignment) -> Facts:
    """Return everything about an assignment but its original, which travels beside the facts."""
    block = assignment.block
    return (
        assignment.process,
        assignment.slot,
        assignment.message_id,
        assignment.link,
        assignment.timestamp,
        block.height,
        block.timestamp,
        block.hash,
        assignment.path,
        assignment.chain,
        assignment.variant,
        assignment.epoch,
        tuple(map(_commitment_facts, assignment.commitments)),
    )


def read_assignment(facts: Facts, original: bytes) -> Assignment:
    """Build the assignment of which these are the facts, whose types were looked at."""
    process, slot, message_id, link, timestamp, height, time, block_hash, *rest = facts
    path, chain, variant, epoch, commitments = rest
    return Assignment(
        Id(process),
        slot,
        Id(message_id),
        link,
        timestamp,
        Block(height, time, block_hash),
        path,
        chain,
        variant,
        epoch,
        tuple(map(_read_commitment, commitments)),
        original,
    )


def _commitment_facts(commitment: Commitment) -> Facts:
    return (
        commitment.id,
        commitment.committer,
        commitment.device,
        commitment.type,
        commitment.owner,
        commitment.signature,
    )


def _read_commitment(facts: Any) -> Commitment:
    require(_COMMITMENT, facts)
    commitment, committer, device, scheme, owner, signature = facts
    return Commitment(Id(commitment), Id(committer), device, scheme, owner, signature)
