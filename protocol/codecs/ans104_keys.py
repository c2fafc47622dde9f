"""A message's keys as an ANS-104 item, and back."""

from __future__ import annotations

from collections.abc import Mapping

from protocol.codecs import ao_types, sf
from protocol.codecs.ans104 import Item, unsigned
from protocol.codecs.canonical import MAX_NAME_BYTES, MAX_VALUE_BYTES
from protocol.errors import InvalidId, UnsupportedValue
from protocol.ids import Id
from protocol.tabm import COMMITMENTS, Tabm

DATA_KEY = b"ao-data-key"
"""Tag and key that names the key whose value is the item's data, where that is not `data`."""

_NOT_KEYS = frozenset({DATA_KEY, b"bundle-format", b"bundle-version", b"bundle-map", COMMITMENTS})
"""Tags that say how an item is built; and one whose name a message has its signatures under."""


def keys_of(item: Item) -> dict[bytes, bytes]:
    """Return the message an item carries: lower-case names to values, in committed order.

    The data comes first, under `data` or the key that `ao-data-key` names, then the tags,
    then anchor and target; the data wins over those fields, and they win over tags. A name
    that comes several times becomes one structured-field list. Source: HyperBEAM's
    `dev_codec_ans104`.
    """
    values: dict[bytes, list[bytes]] = {}
    for name, value in item.tags:
        values.setdefault(name.lower(), []).append(value)
    keys: dict[bytes, bytes] = {}
    if item.data:
        keys[named_data_key(values.get(DATA_KEY, [b""])[0])] = item.data
    fields = {
        name: Id(field).ascii
        for name, field in ((b"anchor", item.anchor), (b"target", item.target))
        if field
    }
    for name, found in values.items():
        if name not in _NOT_KEYS and name not in fields:
            keys.setdefault(name, _tag_value(name, found))
    for name, text in fields.items():
        keys.setdefault(name, text)
    return keys


def item_of(keys: Mapping[bytes, bytes]) -> Item:
    """Build the unsigned item of a message without nested values.

    `data` (or `body`, when there is no data) becomes the item's data, `target` and
    `anchor` its fields when they are IDs, everything else tags sorted by name.

    Raises:
        UnsupportedValue: a name is empty, or a name or value is too long for a tag, so that
            HyperBEAM would put it into a bundle.
        TooLarge: more tags than ANS-104 allows.
    """
    for name, value in keys.items():
        if not isinstance(value, bytes):
            raise UnsupportedValue(f"the nested value {name[:40]!r} cannot be written as a tag")
    rest = dict(keys)
    data_key = data_key_of(rest)
    rest.pop(DATA_KEY, None)
    tags = [] if data_key == b"data" else [(DATA_KEY, data_key)]
    data = rest.pop(data_key, b"")
    if data_key != b"data" and not rest.get(b"data"):
        rest.pop(b"data", None)
    target, anchor = _field(rest, b"target"), _field(rest, b"anchor")
    for name in sorted(rest):
        if not name:
            raise UnsupportedValue("a key has no name")
        if len(name) > MAX_NAME_BYTES or len(rest[name]) > MAX_VALUE_BYTES:
            raise UnsupportedValue(f"key {name[:40]!r} is too long for a tag")
        tags.append((name, rest[name]))
    return unsigned(tags, data, target, anchor)


def data_key_of(keys: Tabm) -> bytes:
    """Return the key whose value is the item's data: `ao-data-key`, else `body` or `data`."""
    explicit = keys.get(DATA_KEY)
    if isinstance(explicit, bytes):
        return explicit
    return b"body" if b"body" in keys and not keys.get(b"data") else b"data"


def named_data_key(named: bytes) -> bytes:
    """Return the key of an item's data, as its tag `ao-data-key` names it, empty without one.

    No message has a key without a name, nor one in the place of its signatures: data that is
    called so is `data` all the same.
    """
    return b"data" if named in (b"", COMMITMENTS) else named


def _field(rest: dict[bytes, bytes], name: bytes) -> bytes:
    try:
        field = Id.parse(rest[name])
    except (KeyError, InvalidId):
        return b""
    del rest[name]
    return field


def _tag_value(name: bytes, found: list[bytes]) -> bytes:
    if len(found) > 1:
        return sf.strings(found)
    return ao_types.lower_keys(found[0]) if name == b"ao-types" else found[0]
