"""Stored slots as server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from protocol.entry import Entry
from protocol.formats import aos2

OPENING = b"retry: 1000\n\n"
"""Sent at once, so that the reader knows that it listens; milliseconds until it comes back."""

HEARTBEAT = b":\n\n"
"""A comment: shows both sides that the other is there."""


def event(entry: Entry) -> bytes:
    """Return the event of a slot: its number as the event's ID, its aos-2 node as the data."""
    return b"id: %d\ndata: %b\n\n" % (entry.assignment.slot, orjson.dumps(aos2.node(entry)))


def events(entries: Iterable[Entry]) -> list[bytes]:
    """Return the events of several slots, in their order."""
    return [event(entry) for entry in entries]
