"""What the legacy interface answers from the store; every function here blocks on it."""

from __future__ import annotations

from actors.schedules import Schedules
from node.http.legacy.ranges import PAGE_LIMIT, Range
from protocol.entry import Entries, Entry
from protocol.errors import NotFound
from protocol.ids import Id
from protocol.message import named_process


def page(schedules: Schedules, process: Id, wanted: Range) -> Entries:
    """Return the part of a schedule that is wanted.

    Raises:
        NotFound: no such process.
    """
    newest = schedules.slot(process)
    first, last, more = wanted.slots(
        newest, lambda slot: schedules.assignment(process, slot).timestamp
    )
    if first > last:
        return Entries((), more=False)
    found = schedules.entries(process, first, last, PAGE_LIMIT)
    if not found.more:
        return Entries(found.entries, more)
    # Cut because the messages are large.
    return found if wanted.by_nonce else Entries(_whole_milliseconds(found.entries), more=True)


def one(schedules: Schedules, identifier: Id, process: Id | None) -> Entry:
    """Return the slot of a message.

    Args:
        schedules: of this node.
        identifier: of the message.
        process: whose slot is meant; None for the process that the message names.

    Raises:
        NotFound: no stored slot holds the message.
    """
    owner = process or named_process(schedules.message(identifier))
    slot = schedules.message_slot(owner, identifier)
    if slot is None:
        raise NotFound("Message or Process not found")
    return schedules.entry(owner, slot)


def newest(schedules: Schedules, process: Id) -> Entry:
    """Return the highest stored slot.

    Raises:
        NotFound: no such process.
    """
    return schedules.entry(process, schedules.slot(process))


def _whole_milliseconds(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    # A cursor names a time, so a page must not end amid the slots of one.
    cut = entries[-1].assignment.timestamp
    return tuple(entry for entry in entries if entry.assignment.timestamp < cut) or entries
