"""Typed messages as TABMs and back (``structured@1.0``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast, overload

from protocol.codecs import ao_types, inline_values, scalars
from protocol.codecs.scalars import Atom, Link, Scalar
from protocol.errors import MalformedItem, UnsupportedValue

if TYPE_CHECKING:
    from protocol.tabm import Tabm, Typed

__all__ = ["Atom", "Link", "Scalar", "from_tabm", "to_tabm"]

DEEPEST = 32
"""Levels of nesting that are written or read; more than any message of AO has."""

_LINK = b"+link"


@overload
def to_tabm(typed: Mapping[str, Scalar]) -> dict[bytes, bytes]: ...
@overload
def to_tabm(typed: Mapping[str, Typed]) -> Tabm: ...


def to_tabm(typed: Mapping[str, Typed]) -> Tabm:
    """Return the keys with every value as bytes, and `ao-types` naming what is no text.

    Keys keep their case. An integer is decimal text, a float C's ``%.20e``, an atom its
    name; a list is a map from ``1`` to n, a `Link` the key `+link`. Source: HyperBEAM's
    `dev_codec_structured`.

    Raises:
        UnsupportedValue: a value is of another type, text is no Unicode, `ao-types` is
            among the keys, or maps are nested too deeply.
    """
    return _map(typed, DEEPEST)


def from_tabm(tabm: Tabm) -> dict[str, Typed]:
    """Undo `to_tabm`; text comes back as bytes, for any bytes may be meant.

    Raises:
        MalformedItem: `ao-types` or a value is not of its form, a key is no text or comes
            as a link too, a list has gaps, or maps are nested too deeply.
    """
    return _message(tabm, _types(tabm), DEEPEST)


def _map(typed: Mapping[str, Typed], levels: int) -> dict[bytes, bytes | Tabm]:
    if "ao-types" in typed:
        raise UnsupportedValue("ao-types is written from the values' own types")
    return _written(((scalars.utf8(name), value) for name, value in typed.items()), {}, levels)


def _list(values: Sequence[Typed], levels: int) -> dict[bytes, bytes | Tabm]:
    numbered = ((b"%d" % number, value) for number, value in enumerate(values, 1))
    return _written(numbered, {ao_types.ITSELF: ao_types.LIST}, levels)


def _written(
    pairs: Iterable[tuple[bytes, Typed]], types: dict[bytes, bytes], levels: int
) -> dict[bytes, bytes | Tabm]:
    if not levels:
        raise UnsupportedValue("the message is nested too deeply")
    tabm: dict[bytes, bytes | Tabm] = {}
    for key, value in pairs:
        if isinstance(value, Mapping):
            tabm[key] = _map(value, levels - 1)
        elif isinstance(value, list | tuple):
            tabm[key] = _list(value, levels - 1)
        elif isinstance(value, Link):
            tabm[key + _LINK] = scalars.utf8(value)
        else:
            tabm[key], kind = scalars.write(cast(Scalar, value))
            if kind:
                types[key] = kind
    if types:
        tabm[ao_types.KEY] = ao_types.write(types)
    return tabm


def _types(tabm: Tabm) -> dict[bytes, bytes]:
    text = tabm.get(ao_types.KEY, b"")
    if not isinstance(text, bytes):
        raise MalformedItem("ao-types is no text")
    return ao_types.read(text)


def _read(tabm: Tabm, levels: int) -> Typed:
    types = _types(tabm)
    if types.get(ao_types.ITSELF) == ao_types.LIST:
        return _values(tabm, types, levels)
    return _message(tabm, types, levels)


def _values(tabm: Tabm, types: Mapping[bytes, bytes], levels: int) -> list[Typed]:
    values = _message(tabm, types, levels)
    try:
        return [values[str(number)] for number in range(1, len(values) + 1)]
    except KeyError as missing:
        raise MalformedItem(f"a list lacks number {missing}") from None


def _message(tabm: Tabm, types: Mapping[bytes, bytes], levels: int) -> dict[str, Typed]:
    if not levels:
        raise MalformedItem("the message is nested too deeply")
    typed: dict[str, Typed] = {}
    for key, value in tabm.items():
        if key == ao_types.KEY:
            continue
        is_link = key.endswith(_LINK) and isinstance(value, bytes)
        name = _text(key.removesuffix(_LINK) if is_link else key)
        if name in typed:
            raise MalformedItem(f"key {name!r} comes twice, once as a link")
        if isinstance(value, Mapping):
            typed[name] = _read(value, levels - 1)
        elif is_link:
            typed[name] = Link(_text(value))
        else:
            typed[name] = inline_values.read(value, types[key]) if key in types else value
    return typed


def _text(key: bytes) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError:
        raise MalformedItem(f"key or link {key[:40]!r} is no text") from None
