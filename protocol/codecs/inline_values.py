"""Lists and maps that stand in one value, as older HyperBEAM nodes wrote them: read only."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from protocol.codecs import scalars, sf
from protocol.errors import MalformedItem

if TYPE_CHECKING:
    from protocol.tabm import Typed

_DEEPEST = 8
_TYPED = re.compile(rb"\(ao-type-([a-z]+)\) (.*)", re.DOTALL)


def read(text: bytes, kind: bytes, levels: int = _DEEPEST) -> Typed:
    """Return what a value of the given type stands for.

    Args:
        text: for a ``list`` a structured-field list, whose strings may start with their own
            type, ``(ao-type-integer) 1``; for a ``map`` a dictionary; else a scalar's text.
        kind: name of the type, lower case.
        levels: how deeply lists may be nested.

    Raises:
        MalformedItem: it is not of that form, or there is no such type.
    """
    if not levels:
        raise MalformedItem("a value's lists are nested too deeply")
    if kind == b"list":
        return [_member(member, levels - 1) for member in sf.parse_list(text)]
    if kind == b"map":
        members = sf.parse_dictionary(text)
        return {name: _member(member, levels - 1) for name, member in members.items()}
    return scalars.read(text, kind)


def _member(member: sf.Member, levels: int) -> Typed:
    value, _ = member
    if isinstance(value, list):
        return [_member(item, levels) for item in value]
    if isinstance(value, sf.Token):
        return scalars.read(str(value).encode("ascii"), b"atom")
    if isinstance(value, str):
        typed = _TYPED.fullmatch(value.encode())
        return read(typed[2], typed[1], levels) if typed else value.encode()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bool | int | bytes):
        return value
    raise MalformedItem(f"a list holds a {type(value).__name__}")
