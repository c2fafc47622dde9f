"""Bundles: several ANS-104 items as the data of one, by number or by a manifest of names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from protocol.codecs.ans104 import Item, parse, unsigned
from protocol.errors import InvalidId, MalformedItem, UnsupportedValue
from protocol.ids import ID_BYTES, Id

FORMAT = ((b"bundle-format", b"binary"), (b"bundle-version", b"2.0.0"))
"""Tags of every item whose data is a bundle."""

MAP = b"bundle-map"
"""Tag of a bundle whose items have names: the unsigned ID of the manifest, its first item."""

BINARY = (b"ao-type", b"binary")
"""The one tag of an item that is a value and no message."""

MAX_ITEMS = 1024
"""Most items of one bundle that are looked at."""

_MANIFEST = ((b"data-protocol", b"bundle-map"), (b"variant", b"0.0.1"))
_NUMBER_BYTES = 32
_ENTRY_BYTES = _NUMBER_BYTES + ID_BYTES


def pack(children: Mapping[bytes, Item]) -> tuple[bytes, Id]:
    """Return the bundle of named items, and the ID of its manifest.

    Items are listed by their unsigned IDs, the manifest before all others. Source:
    HyperBEAM's `ar_bundles`.
    """
    named = {key: children[key] for key in sorted(children)}
    try:
        ids = {key.decode(): str(item.unsigned_id) for key, item in named.items()}
    except UnicodeDecodeError:
        raise UnsupportedValue("the name of a nested message is no text") from None
    text = json.dumps(ids, ensure_ascii=False, separators=(",", ":"))
    manifest = unsigned(_MANIFEST, text.encode())
    items = (manifest, *named.values())
    return _written([(item.unsigned_id, item) for item in items]), manifest.unsigned_id


def pack_list(items: Sequence[Item]) -> bytes:
    """Return the bundle of signed items without names, as arbundles writes it."""
    return _written([(item.id, item) for item in items])


def unpack(data: bytes, manifest: Id | None) -> dict[bytes, Item]:
    """Return the items of a bundle by name; without a manifest their names are numbers.

    Raises:
        MalformedItem: it is no bundle, or an item is none.
        UnsupportedSignature, TooLarge: an item cannot be read.
    """
    entries = _entries(data)
    if manifest is None:
        return {b"%d" % number: parse(raw) for number, (_, raw) in enumerate(entries, 1)}
    by_id = dict(entries)
    try:
        names = _names(parse(by_id[manifest]).data)
        return {name.encode(): parse(by_id[Id.parse(text)]) for name, text in names.items()}
    except (KeyError, InvalidId, UnicodeEncodeError):
        raise MalformedItem("a bundle's manifest names an item that is not there") from None


def _written(entries: Sequence[tuple[Id, Item]]) -> bytes:
    encoded = [(identifier, item.encode()) for identifier, item in entries]
    head = b"".join(_number(len(raw)) + identifier for identifier, raw in encoded)
    return _number(len(encoded)) + head + b"".join(raw for _, raw in encoded)


def _number(value: int) -> bytes:
    return value.to_bytes(_NUMBER_BYTES, "little")


def _entries(data: bytes) -> list[tuple[Id, bytes]]:
    count = int.from_bytes(data[:_NUMBER_BYTES], "little")
    at = _NUMBER_BYTES + count * _ENTRY_BYTES
    if len(data) < _NUMBER_BYTES or count > MAX_ITEMS or len(data) < at:
        raise MalformedItem("the data is no bundle")
    found = []
    for number in range(count):
        start = _NUMBER_BYTES + number * _ENTRY_BYTES
        size = int.from_bytes(data[start : start + _NUMBER_BYTES], "little")
        identifier = Id(data[start + _NUMBER_BYTES : start + _ENTRY_BYTES])
        found.append((identifier, data[at : at + size]))
        at += size
    if at != len(data):
        raise MalformedItem("a bundle's items do not fill it")
    return found


def _names(text: bytes) -> dict[str, str]:
    try:
        names: Any = json.loads(text)
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, dict) or not all(isinstance(each, str) for each in names.values()):
        raise MalformedItem("a bundle's manifest is no map of names to IDs")
    return names
