"""Data items as JSON shows them, put together again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from protocol.codecs.ans104 import Item
from protocol.codecs.avro import Tag, encode_tags
from protocol.codecs.base64url import decode_base64url
from protocol.codecs.signatures import SIGNATURE_TYPES
from protocol.errors import InvalidInput, MalformedItem
from protocol.ids import ID_BYTES

MAX_TAGS = 4096
"""Tags of one item that are looked at."""

Json = Mapping[str, Any]


def parsed(body: bytes) -> Json:
    """Return the JSON object that a reply is.

    Raises:
        MalformedItem: it is none.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedItem("the reply is no JSON") from None
    if not isinstance(found, dict):
        raise MalformedItem("the reply is no JSON object")
    return found


def edges(page: Json, most: int) -> Iterator[Json]:
    """Yield the nodes of a page.

    Raises:
        MalformedItem: it is no page, or has more than `most` edges.
    """
    found = page.get("edges")
    if not isinstance(found, list) or len(found) > most:
        raise MalformedItem(f"the reply is no page of at most {most} edges")
    for edge in found:
        yield child(edge if isinstance(edge, dict) else {}, "node")


def child(shown: Json, name: str) -> Json:
    """Return a nested object.

    Raises:
        MalformedItem: there is none.
    """
    found = shown.get(name)
    if not isinstance(found, dict):
        raise MalformedItem(f"the reply has an edge without its {name}")
    return found


def text(shown: Json, name: str) -> str:
    """Return a text, "" for what is absent or null.

    Raises:
        MalformedItem: it is something else.
    """
    found = shown.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise MalformedItem(f"{name} is no text")
    return found


def tags(shown: Json, name: str) -> tuple[Tag, ...]:
    """Return the tags, names and values as they are shown.

    Raises:
        MalformedItem: they are no list of names and values, or one of them was no text.
    """
    found = shown.get(name)
    if not isinstance(found, list) or len(found) > MAX_TAGS:
        raise MalformedItem(f"{name} is no list of at most {MAX_TAGS}")
    try:
        return tuple((tag["name"].encode(), tag["value"].encode()) for tag in found)
    except (KeyError, TypeError, AttributeError, UnicodeEncodeError):
        raise MalformedItem(f"{name} holds what is no name with its value") from None


def base64_field(shown: Json, name: str) -> bytes:
    """Return bytes shown as base64 in either alphabet, empty for what is absent.

    Raises:
        MalformedItem: it is no base64.
    """
    try:
        return decode_base64url(text(shown, name).encode().translate(_URL_SAFE).rstrip(b"="))
    except (InvalidInput, ValueError):
        raise MalformedItem(f"{name} is no base64") from None


def anchor(shown: Json, name: str) -> bytes:
    """Return an anchor: 32 bytes shown as text, or as base64url where they are none."""
    found = text(shown, name).encode("utf-8", "surrogatepass")
    return found if len(found) == ID_BYTES else base64_field(shown, name)


def item(
    signature: bytes, owner: bytes, pairs: Sequence[Tag], target: bytes, anchor: bytes, data: bytes
) -> Item:
    """Return the item of these fields, its signature not verified.

    Raises:
        MalformedItem: no signature type has these sizes, or target or anchor is no ID.
    """
    if {len(target), len(anchor)} - {0, ID_BYTES}:
        raise MalformedItem("target and anchor are 32 bytes, or empty")
    sizes = len(signature), len(owner)
    for kind in SIGNATURE_TYPES.values():
        if (kind.signature_bytes, kind.owner_bytes) == sizes:
            return Item(
                signature_type=kind.number,
                signature=signature,
                owner=owner,
                target=target,
                anchor=anchor,
                tags=tuple(pairs),
                tag_bytes=encode_tags(pairs),
                data=data,
                tag_count=len(pairs),
            )
    raise MalformedItem("no signature type has signatures and keys of these sizes")


_URL_SAFE = bytes.maketrans(b"+/", b"-_")
