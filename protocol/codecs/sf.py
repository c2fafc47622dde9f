"""Structured fields (RFC 8941): the grammar of content types, dispositions and typed values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import http_sf
from http_sf.types import BareItemType, ParamsType

from protocol.errors import MalformedItem

BareItem = BareItemType
Parameters = ParamsType
Token = http_sf.Token

Item = tuple[BareItem, Parameters]
InnerList = tuple[list[Item], Parameters]
Member = Item | InnerList
"""A member of a list or dictionary; an inner list's first element is a list."""

_LONGEST = 256 * 1024
"""Bytes of the longest field that is parsed: more than a whole block of headers may have."""


def parse_item(text: bytes) -> Item:
    """Read one item: a bare value and its parameters.

    Raises:
        MalformedItem: the text is no item.
    """
    return cast(Item, _parse(text, "item"))


def parse_list(text: bytes) -> list[Member]:
    """Read a list of items and inner lists.

    Raises:
        MalformedItem: the text is no list.
    """
    return cast("list[Member]", _parse(text, "list"))


def parse_dictionary(text: bytes) -> dict[str, Member]:
    """Read a dictionary; of a name that comes twice the last member counts.

    Raises:
        MalformedItem: the text is no dictionary, or a name has upper case.
    """
    return cast("dict[str, Member]", _parse(text, "dictionary"))


def string(value: bytes) -> bytes:
    """Quote a value as a string (3.3.3); other than the standard's, it may hold any byte."""
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def strings(values: Iterable[bytes]) -> bytes:
    """Write a list of strings."""
    return b", ".join(map(string, values))


def _parse(text: bytes, kind: str) -> object:
    if len(text) > _LONGEST:
        raise MalformedItem(f"a structured field of {len(text)} bytes is too long")
    if text[:1] == b" " or text[-1:] == b" ":
        raise MalformedItem("a structured field has spaces around it")
    try:
        return http_sf.parse(text, tltype=kind)
    except (ValueError, OverflowError) as error:
        raise MalformedItem(f"no structured {kind}: {error}") from None
