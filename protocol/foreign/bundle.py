"""Schedules and slots as HyperBEAM nodes answer them (``httpsig@1.0``, nested inline)."""

from __future__ import annotations

from collections.abc import Mapping

from protocol.assignment import LEGACY_VARIANT, Assignment
from protocol.codecs import httpsig
from protocol.codecs.ans104_tabm import item_of
from protocol.codecs.assignment import of_item, of_tabm
from protocol.codecs.body_parts import SCHEDULE
from protocol.codecs.wire import Wire
from protocol.entry import Entries, Entry
from protocol.errors import MalformedItem
from protocol.foreign.prefix import readable
from protocol.formats.enclosed import body_of
from protocol.location import number
from protocol.message import Message
from protocol.tabm import Tabm

DEVICE = b"httpsig@1.0"
_BESIDE = frozenset({b"ao-types", b"body", b"slot"})


def page(wire: Wire, most: int) -> Entries:
    """Read ``GET /{process}/schedule``: a page of at most `most` slots, in order.

    Raises:
        InvalidInput: it is none, or its first slot cannot be read.
    """
    reply = httpsig.decode(wire, SCHEDULE)
    codec, kind = reply.get(b"codec-device", DEVICE), reply.get(b"type")
    if (codec, kind) != (DEVICE, b"schedule") or b"assignments+link" in reply:
        raise MalformedItem("the reply is no schedule with its assignments inline")
    # An empty map is not written at all.
    found = _map(reply, b"assignments") if b"assignments" in reply else {}
    slots = [name for name in found if name.isdigit()]
    if len(slots) > most:
        raise MalformedItem(f"the reply has more than {most} slots")
    ordered = sorted(slots, key=int)
    goes_on = reply.get(b"continues") == b"true"
    return readable(ordered, lambda name: _entry(_map(found, name)), more=goes_on)


def slot(wire: Wire) -> int:
    """Read ``GET /{process}/slot``: the highest slot, -1 where none is given yet.

    Raises:
        MalformedItem: the reply does not say.
    """
    reply = httpsig.decode(wire)
    scalars = {key: value for key, value in reply.items() if isinstance(value, bytes)}
    return -1 if scalars.get(b"current") == b"-1" else number(scalars, b"current")


def _entry(assigned: Tabm) -> Entry:
    message = body_of(assigned) or Message.of_tabm(_map(assigned, b"body"))
    return Entry(_older(assigned) or of_tabm(assigned), message)


def _older(assigned: Tabm) -> Assignment | None:
    # One of variant ao.TN.1 is the item that its scheduler signed; what is beside it is not.
    if assigned.get(b"variant") != LEGACY_VARIANT.encode():
        return None
    item = item_of({key: assigned[key] for key in assigned if key not in _BESIDE})
    if item is None:
        raise MalformedItem("an assignment of variant ao.TN.1 is signed as an item")
    return of_item(item)


def _map(message: Tabm, key: bytes) -> Tabm:
    found = message.get(key)
    if not isinstance(found, Mapping):
        raise MalformedItem(f"the reply has no {key.decode('ascii', 'replace')[:40]}")
    return found
