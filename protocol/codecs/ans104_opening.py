"""The keys of an ANS-104 item whose data is a bundle: the messages inside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from protocol.codecs.ans104 import Item
from protocol.codecs.ans104_bundle import BINARY, FORMAT, MAP, unpack
from protocol.codecs.ans104_keys import DATA_KEY, keys_of, named_data_key
from protocol.errors import InvalidInput
from protocol.ids import Id
from protocol.tabm import COMMITMENTS, Tabm


def opened(
    item: Item, levels: int, signed: Callable[[Item, int], Tabm]
) -> dict[bytes, bytes | Tabm] | None:
    """Return the keys of an item with what its bundle holds, or None if it has no bundle.

    Args:
        item: signed or not.
        levels: how deep bundles in bundles are looked into.
        signed: reads a signed item at the levels below.
    """
    children = _unpacked(item) if levels else None
    if children is None or COMMITMENTS in children:
        # Where a message has its signatures no other can stand.
        return None
    inside = {name: _value(children[name], levels - 1, signed) for name in sorted(children)}
    data_key = named_data_key(lower_tags(item).get(DATA_KEY, b""))
    if inside.keys() == {data_key} and not _is_nested(inside):
        # As a message it would look like an item with that data.
        return None
    tags = keys_of(replace(item, data=b""))
    return inside | {key: value for key, value in tags.items() if key not in inside}


def lower_tags(item: Item) -> dict[bytes, bytes]:
    """Return the tags by name in lower case; of several the first counts."""
    return {name.lower(): value for name, value in reversed(item.tags)}


def _unpacked(item: Item) -> dict[bytes, Item] | None:
    tags = lower_tags(item)
    if any(tags.get(name) != value for name, value in FORMAT):
        return None
    try:
        return unpack(item.data, Id.parse(tags[MAP]) if MAP in tags else None)
    except InvalidInput:
        return None


def _value(child: Item, levels: int, signed: Callable[[Item, int], Tabm]) -> bytes | Tabm:
    if any(child.signature):
        return signed(child, levels)
    if child.tags == (BINARY,):
        return child.data
    inside = opened(child, levels, signed)
    return keys_of(child) if inside is None else inside


def _is_nested(keys: Tabm) -> bool:
    return not all(isinstance(value, bytes) for value in keys.values())
