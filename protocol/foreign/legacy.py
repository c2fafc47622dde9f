"""Replies of scheduler units of variant ``ao.TN.1``."""

from __future__ import annotations

from protocol.codecs.ans104 import Item
from protocol.codecs.assignment import of_item
from protocol.entry import Entries, Entry
from protocol.errors import MalformedItem
from protocol.foreign.prefix import readable
from protocol.foreign.shown_item import (
    Json,
    anchor,
    base64_field,
    child,
    edges,
    item,
    parsed,
    tags,
    text,
)
from protocol.message import Message


def page(body: bytes, most: int) -> Entries:
    """Read ``GET /{process}?process-id=…``: a page of at most `most` slots.

    Raises:
        InvalidInput: it is none, or its first slot holds no message that can be shown as
            JSON, so that nobody can verify it.
    """
    reply = parsed(body)
    goes_on = bool(child(reply, "page_info").get("has_next_page"))
    return readable(edges(reply, most), _entry, more=goes_on)


def entry(body: bytes) -> Entry:
    """Read ``GET /{process}/latest`` or ``GET /{message}``: one slot. Raises as `page`."""
    return _entry(parsed(body))


def _entry(node: Json) -> Entry:
    return Entry(of_item(_item(child(node, "assignment"))), _message(child(node, "message")))


def _message(shown: Json) -> Message:
    return Message.decode(_item(shown).encode())


def _item(shown: Json) -> Item:
    if shown.get("data", "") is None:
        raise MalformedItem("the data of a message is no text, so its page cannot carry it")
    return item(
        signature=base64_field(shown, "signature"),
        owner=base64_field(child(shown, "owner"), "key"),
        pairs=tags(shown, "tags"),
        target=base64_field(shown, "target"),
        anchor=anchor(shown, "anchor"),
        data=text(shown, "data").encode(),
    )
