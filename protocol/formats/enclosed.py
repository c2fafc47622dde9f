"""Messages that no parts can be named after: on a page they stand as the bytes they came in."""

from __future__ import annotations

from collections.abc import Mapping

from protocol.codecs import portable
from protocol.codecs.ans104_tabm import item_of
from protocol.codecs.signed_wire import to_wire
from protocol.errors import UnsupportedValue
from protocol.message import Message
from protocol.message_ids import signed_id
from protocol.tabm import Tabm

CODEC, BYTES = b"body-codec", b"body-bytes"
"""What stands in an assignment beside `body+link`, for whoever does not follow that."""

_ASSIGNMENTS, _BODY, _LINK = b"assignments", b"body", b"body+link"


def enclosed(reply: Tabm) -> Tabm:
    """Return a page, or one assignment, in which each message can be carried by parts.

    One that cannot, because of a line break or a slash in the name of a key, say, is a link
    and its own bytes. Nobody signed those, but they are what the link names, and the link is
    what the scheduler signed. In a reply of another kind nothing changes.
    """
    page = reply.get(_ASSIGNMENTS)
    if not isinstance(page, Mapping):
        return _enclosed(reply)
    slots = {
        slot: assigned if isinstance(assigned, bytes) or _fits(assigned) else _enclosed(assigned)
        for slot, assigned in page.items()
    }
    return {**reply, _ASSIGNMENTS: slots}


def body_of(assigned: Tabm) -> Message | None:
    """Return the message that stands in an assignment as its bytes, if one does.

    Raises:
        MalformedItem, UnsupportedSignature, InvalidSignature, TooLarge: it cannot be read.
    """
    encoded, codec = assigned.get(BYTES), assigned.get(CODEC, b"")
    if not isinstance(encoded, bytes) or not isinstance(codec, bytes):
        return None
    return Message.decode(encoded, codec.partition(b"@")[0].decode("ascii", "replace"))


def _fits(assigned: Tabm) -> bool:
    try:
        portable.encode(assigned)
    except UnsupportedValue:
        return False
    return True


def _enclosed(assigned: Tabm) -> Tabm:
    body = assigned.get(_BODY)
    if not isinstance(body, Mapping):
        return assigned
    item = item_of(body)
    device, encoded = (
        (b"httpsig@1.0", to_wire(body, bundle=True).encode())
        if item is None
        else (b"ans104@1.0", item.encode())
    )
    rest = {key: value for key, value in assigned.items() if key != _BODY}
    return {**rest, _LINK: signed_id(body).ascii, CODEC: device, BYTES: encoded}
