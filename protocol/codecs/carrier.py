"""Data items that carry what is none: httpsig messages and assignments on their way to Arweave.

Bundlers take data items only, and turning a message into one would lose its signatures. So its
wire form is the data of an item that a wallet of its process signs.
"""

from __future__ import annotations

from typing import NamedTuple

from protocol.codecs.ans104 import MAX_ITEM_BYTES, Item, unsigned
from protocol.codecs.avro import Tag
from protocol.codecs.canonical import MAX_VALUE_BYTES
from protocol.errors import MalformedItem
from protocol.ids import Id

CONTENT_TYPE = b"application/http"

MAX_CONTENT_BYTES = MAX_ITEM_BYTES - (8 << 10)
"""Largest content: with signature, key and the largest tags the item is one that is taken."""

_FIXED: tuple[Tag, ...] = ((b"data-protocol", b"ao"), (b"content-type", CONTENT_TYPE))


class Carried(NamedTuple):
    """What an item carries.

    Attributes:
        id: ID of the message or assignment.
        content: its wire form, as `Wire.encode` writes it.
    """

    id: Id
    content: bytes


def carrier(carried: Carried, kind: bytes) -> Item:
    """Return the unsigned item that carries a message or an assignment.

    Args:
        carried: what it is to carry.
        kind: its `type`, such as ``Assignment``; ``Message`` where that is no tag's value.
    """
    shown = kind if 0 < len(kind) <= MAX_VALUE_BYTES else b"Message"
    tags = (*_FIXED, (b"type", shown), (b"message-id", carried.id.ascii))
    return unsigned(tags, carried.content)


def carried_by(item: Item) -> Carried:
    """Return what an item carries; nothing about it is verified.

    Raises:
        MalformedItem, InvalidId: it carries nothing.
    """
    tags = dict(item.tags)
    if tags.get(b"content-type") != CONTENT_TYPE or b"message-id" not in tags:
        raise MalformedItem("the item carries no message")
    return Carried(Id.parse(tags[b"message-id"]), item.data)
