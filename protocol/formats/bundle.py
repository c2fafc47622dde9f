"""The schedule as a message: what HyperBEAM answers with ``application/http``."""

from __future__ import annotations

from collections.abc import Iterable

from protocol.assignment import Assignment
from protocol.codecs.ans104_tabm import tabm_of
from protocol.codecs.assignment import tabm
from protocol.entry import Entry
from protocol.formats.carrier import carrier
from protocol.formats.frame import Frame
from protocol.tabm import Tabm

_TYPES = b'block-height="integer", continues="atom", timestamp="integer"'
_SLOT_TYPE = b'slot="integer"'


def schedule(frame: Frame, entries: Iterable[Entry]) -> dict[bytes, bytes | Tabm]:
    """Return a page of a schedule: `assignments` by slot, each with its message in `body`.

    Both carry their commitments, so whoever reads it can verify all of it, however it is
    written. Source: HyperBEAM's `dev_scheduler_formats`, recorded vectors.
    """
    return {
        b"ao-types": _TYPES,
        b"assignments": {b"%d" % entry.assignment.slot: assigned(entry) for entry in entries},
        b"block-hash": frame.block.hash.encode(),
        b"block-height": b"%d" % frame.block.height,
        b"continues": b"true" if frame.more else b"false",
        b"process": frame.process.ascii,
        b"timestamp": b"%d" % frame.timestamp,
        b"type": b"schedule",
    }


def assigned(entry: Entry) -> dict[bytes, bytes | Tabm]:
    """Return one slot: the signed assignment with its message in `body`."""
    body = entry.message.tabm
    return _older(entry.assignment, body) or tabm(entry.assignment, body)


def _older(assignment: Assignment, body: Tabm) -> dict[bytes, bytes | Tabm] | None:
    # Its item names neither slot nor body: they stand beside what is committed.
    item = carrier(assignment)
    if item is None:
        return None
    slot = b"%d" % assignment.slot
    return {**tabm_of(item), b"ao-types": _SLOT_TYPE, b"slot": slot, b"body": body}
