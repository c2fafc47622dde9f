"""What every posted message passes before it is scheduled: its signers' rate, then its proof."""

from __future__ import annotations

from node.http.waiting import apart
from node.node import Node
from protocol.message import ACCEPTED, Message, Verified, verify

LARGE_BYTES = 64 << 10
"""A message from which on hashing would hold up the event loop for a millisecond."""


async def admitted(node: Node, message: Message) -> Verified:
    """Verify a message, unless its signers have had enough scheduled lately.

    Raises:
        RateLimited: they have; says for how long.
        InvalidInput: as `protocol.message.verify`.
    """
    for commitment in message.commitments:
        node.signers.require(commitment.committer)
    accept = ACCEPTED.union(node.config.scheduling.accept_signature_types)
    if is_large(message):
        verified = await apart(verify, message, accept=accept)
    else:
        verified = verify(message, accept=accept)
    for signer in verified.committers:
        node.signers.charge(signer)
    return verified


def is_large(message: Message) -> bool:
    """Tell whether work on all bytes of a message is better done beside the event loop."""
    return len(message.encoded) >= LARGE_BYTES
