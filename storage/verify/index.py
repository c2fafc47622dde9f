"""The index: every entry leads to a slot with its message, and to the first one."""

from __future__ import annotations

from protocol.assignment import Assignment
from protocol.ids import ID_BYTES, Id
from storage.records import unpack_index, unpack_message_id
from storage.snapshot import Snapshot
from storage.tables import INDEX, SLOTS, slot_key
from storage.verify.report import UNREADABLE, Fault, Findings
from storage.verify.tasks import Part


def check_indexed(snapshot: Snapshot, assignment: Assignment, findings: Findings) -> None:
    """Check that the index knows the message of a slot, and no later slot as its first."""
    process, slot = assignment.process, assignment.slot
    try:
        first = snapshot.slot_of(process, assignment.message_id)
    except UNREADABLE as exc:
        findings.add_unreadable(exc, process, slot, Fault.INDEX)
        return
    if first is None:
        findings.add(Fault.INDEX, "the index does not know the message", process, slot)
    elif first > slot:
        findings.add(Fault.INDEX, f"the index says slot {first} is the first", process, slot)


def check_share(snapshot: Snapshot, part: Part, findings: Findings) -> None:
    """Check that each entry in a part's share of the index leads to a slot with its message."""
    after, until = part.process + part.after, part.process + part.until
    # About one entry per slot, and one more that ends the loop.
    expected = part.last - part.first + 2
    while entries := snapshot.above(INDEX, after, expected):
        for key, record in entries:
            if key > until:
                return
            _check_entry(snapshot, part.process, key, record, findings)
        after = entries[-1][0]


def _check_entry(
    snapshot: Snapshot, process: Id, key: bytes, record: bytes, findings: Findings
) -> None:
    try:
        slot = unpack_index(key, record)
        place = slot_key(process, slot)
        pinned = snapshot.get(SLOTS, place)
    except UNREADABLE as exc:
        findings.add_unreadable(exc, process, code=Fault.INDEX)
        return
    if pinned is None or _message_id(place, pinned) not in {key[ID_BYTES:], None}:
        findings.add(Fault.INDEX, "the index leads to a slot with another message", process, slot)


def _message_id(key: bytes, pinned: bytes) -> Id | None:
    """The message of a pinned slot; None when it is damaged, which its own part reports."""
    try:
        return unpack_message_id(key, pinned)
    except UNREADABLE:
        return None
