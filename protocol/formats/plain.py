"""The keys of a message as text shows them: nested messages by their IDs."""

from __future__ import annotations

from collections.abc import Mapping

from protocol.codecs.ans104 import Item
from protocol.errors import InvalidInput
from protocol.message import Message
from protocol.message_ids import linked, without_commitments

_HOLDS_ITEMS = b"bundle-format"


def plain_keys(message: Message) -> Mapping[bytes, bytes]:
    """Return the message's keys, each nested message as ``key+link`` and its ID.

    One that cannot be linked is shown without what is nested in it: a page must not fail for
    one message on it.
    """
    if message.item is not None and not _holds_items(message.item):
        return message.keys
    try:
        keys = linked(without_commitments(message.tabm))
    except InvalidInput:
        return message.keys
    return {key: value for key, value in keys.items() if isinstance(value, bytes)}


def _holds_items(item: Item) -> bool:
    # Most do not, and looking at each tag of each message on a page takes longer.
    return _HOLDS_ITEMS in item.tag_bytes.lower()
