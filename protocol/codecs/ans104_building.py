"""Messages with nested ones as ANS-104 items: those become a bundle, which is the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from protocol.codecs.ans104 import Item, unsigned
from protocol.codecs.ans104_bundle import BINARY, FORMAT, MAP, pack, pack_list
from protocol.codecs.ans104_keys import data_key_of, item_of
from protocol.codecs.canonical import MAX_NAME_BYTES, MAX_VALUE_BYTES
from protocol.tabm import COMMITMENTS, Tabm

Signed = Callable[[Tabm], Item | None]
"""Gives the item that a nested message was signed as, or None."""


def unsigned_item(tabm: Tabm, signed: Signed) -> Item:
    """Build the unsigned item of a message. Source: HyperBEAM's `dev_codec_ans104`.

    Raises:
        UnsupportedValue: a key has no name, or that of a nested message is no text.
        TooLarge: more or longer tags than ANS-104 allows.
    """
    keys = {key: value for key, value in tabm.items() if key != COMMITMENTS}
    data_key = data_key_of(keys)
    children = children_of(keys, data_key)
    if not children:
        return item_of({key: value for key, value in keys.items() if isinstance(value, bytes)})
    data, manifest = pack({name: _item(child, signed) for name, child in children.items()})
    rest = {key: value for key, value in keys.items() if isinstance(value, bytes)}
    flat = item_of({key: rest[key] for key in rest.keys() - children} | {data_key: data})
    tags = (*FORMAT, (MAP, manifest.ascii), *flat.tags)
    return unsigned(tags, data, flat.target, flat.anchor)


def children_of(keys: Tabm, data_key: bytes) -> dict[bytes, bytes | Tabm]:
    """Return what of a message stands in a bundle: what is nested or too long for a tag.

    With any of it, the data stands there, too.
    """
    children = {
        key: value
        for key, value in keys.items()
        if not isinstance(value, bytes)
        or (key != data_key and len(value) > MAX_VALUE_BYTES)
        or len(key) > MAX_NAME_BYTES
    }
    return children | {data_key: keys[data_key]} if children and keys.get(data_key) else children


def bundle_of(children: Tabm, signed: Signed, *, named: bool) -> bytes:
    """Return the bundle with these messages, with a manifest of their names or without."""
    items = {name: _item(child, signed) for name, child in children.items()}
    if named:
        return pack(items)[0]
    return pack_list([items[b"%d" % number] for number in range(1, len(items) + 1)])


def _item(child: bytes | Tabm, signed: Signed) -> Item:
    if isinstance(child, Mapping):
        return signed(child) or unsigned_item(child, signed)
    return unsigned((BINARY,), child)
