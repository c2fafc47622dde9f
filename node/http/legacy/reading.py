"""What the legacy interface answers from the store, as JSON; every function here blocks on it."""

from __future__ import annotations

import orjson

from actors.schedules import Schedules
from node.http.legacy.ranges import PAGE_LIMIT, Range
from protocol.entry import Entries, Entry
from protocol.errors import NotFound
from protocol.formats import legacy
from protocol.ids import Id
from protocol.message import named_process


def page(schedules: Schedules, process: Id, wanted: Range, *, show_anchor: bool) -> bytes:
    """Return the part of a schedule that is wanted.

    Raises:
        NotFound: no such process.
    """
    found = _range(schedules, process, wanted)
    return legacy.page(
        found.entries, more=found.more, by_nonce=wanted.by_nonce, show_anchor=show_anchor
    )


def one(schedules: Schedules, identifier: Id, process_id: Id | None, *, show_anchor: bool) -> bytes:
    """Return the slot of a message, or of an assignment among the newest thousand.

    Args:
        schedules: of this node.
        identifier: of the message or the assignment.
        process_id: whose slot is meant; None for the process that the message names.
        show_anchor: show anchors that are no text, too.

    Raises:
        NotFound: no stored slot holds it.
    """
    owner = process_id or named_process(schedules.message(identifier))
    slot = schedules.message_slot(owner, identifier)
    if slot is None:
        slot = _slot_of_assignment(schedules, identifier, owner)
    return orjson.dumps(legacy.node(schedules.entry(owner, slot), show_anchor=show_anchor))


def newest(schedules: Schedules, process_id: Id, *, show_anchor: bool) -> bytes:
    """Return the highest stored slot.

    Raises:
        NotFound: no such process.
    """
    entry = schedules.entry(process_id, schedules.slot(process_id))
    return orjson.dumps(legacy.node(entry, show_anchor=show_anchor))


def process(schedules: Schedules, process_id: Id) -> bytes:
    """Return the process object.

    Raises:
        NotFound: no such process.
    """
    return orjson.dumps(legacy.process(schedules.entry(process_id, 0)))


def _slot_of_assignment(schedules: Schedules, identifier: Id, process_id: Id) -> int:
    # Nobody keeps assignments by their IDs. Clients ask for one that they were just told of.
    stored = schedules.slot(process_id)
    page = schedules.page(process_id, max(0, stored + 1 - PAGE_LIMIT), stored)
    for assignment in reversed(page.assignments):
        if assignment.id == identifier:
            return assignment.slot
    raise NotFound("Message or Process not found")


def _range(schedules: Schedules, process_id: Id, wanted: Range) -> Entries:
    stored = schedules.slot(process_id)
    first, last, more = wanted.slots(
        stored, lambda slot: schedules.assignment(process_id, slot).timestamp
    )
    if first > last:
        return Entries((), more=False)
    found = schedules.entries(process_id, first, last, PAGE_LIMIT)
    if not found.more:
        return Entries(found.entries, more)
    # Cut because the messages are large.
    return found if wanted.by_nonce else Entries(_whole_milliseconds(found.entries), more=True)


def _whole_milliseconds(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    # A cursor names a time, so a page must not end amid the slots of one.
    cut = entries[-1].assignment.timestamp
    return tuple(entry for entry in entries if entry.assignment.timestamp < cut) or entries
