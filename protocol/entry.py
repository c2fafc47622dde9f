"""A slot of a schedule as a reader gets it: the assignment and its message."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.assignment import Assignment
from protocol.message import Message


@dataclass(frozen=True, slots=True)
class Entry:
    """One slot: the signed assignment, and the message that it names.

    Attributes:
        assignment: the signed assignment.
        message: the message whose ID is the assignment's `message_id`.
    """

    assignment: Assignment
    message: Message


@dataclass(frozen=True, slots=True)
class Entries:
    """Consecutive slots of one process.

    Attributes:
        entries: in slot order, without a gap.
        more: whether the range that was asked for goes on after the last one.
    """

    entries: tuple[Entry, ...]
    more: bool
