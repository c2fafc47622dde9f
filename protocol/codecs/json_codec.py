"""Messages as JSON (``json@1.0``), as HyperBEAM answers who accepts it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import orjson

from protocol.codecs import ao_types, scalars
from protocol.codecs.body_parts import REQUEST, Bounds
from protocol.codecs.structured import DEEPEST
from protocol.errors import MalformedItem, TooLarge, UnsupportedValue
from protocol.tabm import Tabm

LONGEST = 2 * 2**20
"""Bytes of JSON that are read; parsed, they can take twenty times as much memory."""

_NUMBERS = (b"integer", b"float")
_ATOMS = {"true": True, "false": False, "null": None}


def encode(tabm: Tabm) -> bytes:
    """Write a message: integers and floats as numbers, lists as arrays, all else as text.

    `ao-types` keeps what JSON has no type for: atoms, booleans among them, and whatever is
    not of the type it claims. Links stay links, and commitments are nested messages.

    Raises:
        UnsupportedValue: a key or value is no text, or maps are nested too deeply.
    """
    return orjson.dumps(_value(tabm, DEEPEST), option=orjson.OPT_SORT_KEYS)


def decode(encoded: bytes, bounds: Bounds = REQUEST) -> Tabm:
    """Read a message; true, false and null become atoms.

    Raises:
        MalformedItem: it is no JSON object, or its `ao-types` is none.
        TooLarge: it is longer, nested more deeply or has more values than is read.
        UnsupportedValue: a number cannot be kept.
    """
    if len(encoded) > LONGEST:
        raise TooLarge(f"a message of {len(encoded)} bytes of JSON, at most {LONGEST} are read")
    try:
        message = orjson.loads(encoded)
    except orjson.JSONDecodeError as error:
        raise MalformedItem(f"no JSON: {error}") from None
    if not isinstance(message, dict):
        raise MalformedItem("the JSON is no object")
    return _Reader(bounds).message(message, bounds.depth + 1)


def _value(tabm: Tabm, levels: int) -> dict[str, Any] | list[Any]:
    if not levels:
        raise UnsupportedValue("the message is nested too deeply")
    types = _types_of(tabm)
    written: dict[str, Any] = {}
    for key, value in tabm.items():
        if isinstance(value, Mapping):
            written[_text(key)] = _value(value, levels - 1)
        elif key != ao_types.KEY or types is None:
            written[_text(key)] = _plain(value, key, types or {})
    if types and types.get(ao_types.ITSELF) == ao_types.LIST:
        numbered = (str(number) for number in range(1, len(written) + 1))
        return [_element(written[number], types.get(number.encode())) for number in numbered]
    if types:
        written[_text(ao_types.KEY)] = _text(ao_types.write(types))
    return written


def _types_of(tabm: Tabm) -> dict[bytes, bytes] | None:
    """Return the types a message claims, or None if that is just somebody's text."""
    text = tabm.get(ao_types.KEY, b"")
    try:
        types = ao_types.read(text) if isinstance(text, bytes) else None
    except MalformedItem:
        return None
    if types and types.get(ao_types.ITSELF) == ao_types.LIST:
        numbers = {b"%d" % number for number in range(1, len(tabm))}
        return types if numbers == tabm.keys() - {ao_types.KEY} else None
    return types


def _plain(value: bytes, key: bytes, types: dict[bytes, bytes]) -> int | float | str:
    if types.get(key) not in _NUMBERS:
        return _text(value)
    try:
        number = cast("int | float", scalars.read(value, types[key]))
    except MalformedItem:
        return _text(value)
    del types[key]
    return number


def _element(value: Any, kind: bytes | None) -> Any:
    # An array has no place for types, but JSON knows three of the atoms itself.
    return _ATOMS.get(value, value) if kind == b"atom" else value


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise UnsupportedValue(f"{value[:40]!r} is no text, which JSON needs") from None


class _Reader:
    """Turns parsed JSON into a TABM, and counts its values."""

    def __init__(self, bounds: Bounds) -> None:
        self.left = bounds.lines

    def message(self, read: dict[str, Any], levels: int) -> dict[bytes, bytes | Tabm]:
        text = read.pop("ao-types", "")
        if not isinstance(text, str):
            raise MalformedItem("ao-types is no text")
        pairs = ((name.encode(), value) for name, value in read.items())
        return self._tabm(pairs, ao_types.read(text.encode()), levels)

    def _list(self, read: list[Any], levels: int) -> dict[bytes, bytes | Tabm]:
        numbered = ((b"%d" % number, value) for number, value in enumerate(read, 1))
        return self._tabm(numbered, {ao_types.ITSELF: ao_types.LIST}, levels)

    def _tabm(
        self, pairs: Iterable[tuple[bytes, Any]], types: dict[bytes, bytes], levels: int
    ) -> dict[bytes, bytes | Tabm]:
        if not levels:
            raise TooLarge("the message is nested too deeply")
        tabm: dict[bytes, bytes | Tabm] = {}
        for key, value in pairs:
            self._count()
            if isinstance(value, dict):
                tabm[key] = self.message(value, levels - 1)
            elif isinstance(value, list):
                tabm[key] = self._list(value, levels - 1)
            else:
                tabm[key], kind = _scalar(value)
                if kind:
                    types[key] = kind
        if types:
            tabm[ao_types.KEY] = ao_types.write(types)
        return tabm

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooLarge("the message has too many values")


def _scalar(value: scalars.Scalar) -> tuple[bytes, bytes]:
    if isinstance(value, int) and abs(value) > scalars.MAX_INTEGER:
        raise UnsupportedValue("an integer has more than 15 digits")
    return scalars.write(value)
