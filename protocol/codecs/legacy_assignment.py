"""Assignments of variant ``ao.TN.1``, as the scheduler units before HyperBEAM write them."""

from __future__ import annotations

import hashlib

from protocol.assignment import Assignment, Tags
from protocol.chain import LegacyChain

HEIGHT_DIGITS = 12
"""Block heights are filled up with zeros to so many, to sort as text."""

_ANCHOR_SALT = b"ao-scheduler legacy anchor"


def tags(assignment: Assignment) -> Tags:
    """The tags of its data item, in the order of the scheduler unit. Source: permaweb/ao."""
    ordered = [
        (b"Process", assignment.process.ascii),
        (b"Epoch", assignment.epoch.encode()),
        (b"Nonce", b"%d" % assignment.slot),
        (LegacyChain.key.encode(), assignment.link.encode()),
        (b"Block-Height", b"%0*d" % (HEIGHT_DIGITS, assignment.block.height)),
        (b"Timestamp", b"%d" % assignment.timestamp),
        (b"Data-Protocol", b"ao"),
        (b"Type", b"Assignment"),
        (b"Variant", assignment.variant.encode()),
    ]
    if assignment.slot:
        ordered.append((b"Message", assignment.message_id.ascii))
    return ordered


def anchor(assignment: Assignment) -> bytes:
    """The 32 bytes of the item's anchor.

    Scheduler units draw them at random. These follow from the slot, so that signing it again
    after a crash signs the same item.
    """
    pinned = b"%s%s%020d%s%s%d" % (
        _ANCHOR_SALT,
        assignment.process,
        assignment.slot,
        assignment.message_id,
        assignment.link.encode(),
        assignment.timestamp,
    )
    return hashlib.sha256(pinned).digest()
