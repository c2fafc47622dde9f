"""The schedule as a message: what HyperBEAM answers with ``application/http``."""

from __future__ import annotations

from collections.abc import Iterable

from protocol.codecs.assignment import tabm
from protocol.entry import Entry
from protocol.formats.frame import Frame
from protocol.tabm import Tabm

_TYPES = b'block-height="integer", continues="atom", timestamp="integer"'


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
    return tabm(entry.assignment, entry.message.tabm)
