"""What stands around the entries of a schedule when a node answers with it."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.assignment import Block
from protocol.ids import Id


@dataclass(frozen=True, slots=True)
class Frame:
    """The process a page of a schedule belongs to, and the moment it was asked for.

    Attributes:
        process: ID of the process.
        more: whether the range goes on after the last entry.
        timestamp: seconds since 1970; HyperBEAM gives the newest block's here.
        block: newest block known to the node.
    """

    process: Id
    more: bool
    timestamp: int
    block: Block
