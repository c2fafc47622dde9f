"""Whether those who are said to have signed a message did, whatever the message is for."""

from __future__ import annotations

from protocol.codecs.httpsig_commitment import verify
from protocol.errors import InvalidSignature, MalformedItem
from protocol.ids import Id
from protocol.message import Message


def require_signed(message: Message) -> None:
    """Insist that every signature of a message verifies, of whatever type it is.

    Unlike `protocol.message.verify` this asks neither for a target nor for the form that
    bundlers take: other schedulers have their own rules for what they take.

    Raises:
        InvalidSignature: one does not.
        InvalidInput: what was signed cannot be told.
    """
    if message.item is None:
        verify(message.signed)
    elif not message.item.verify():
        raise InvalidSignature("the signature does not verify")


def signer_of(message: Message) -> Id:
    """Return the address of the one who signed a message, the signature verified.

    Raises:
        MalformedItem: several have.
        InvalidSignature: the signature does not verify.
        InvalidInput: what was signed cannot be told.
    """
    committers = {commitment.committer for commitment in message.commitments}
    if len(committers) != 1:
        raise MalformedItem(f"signed by {len(committers)}, where one signer is expected")
    require_signed(message)
    return committers.pop()
