"""ANS-104 bundles: several data items as one run of bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from protocol.errors import MalformedItem
from protocol.ids import Id

_WORD = 32
"""Bytes of a number in a bundle's header, little-endian."""


def encode_bundle(items: Sequence[tuple[Id, bytes]]) -> bytes:
    """Return the bundle of signed items: their number, the size and ID of each, the items.

    Source: ANS-104, section 1.3.
    """
    header = [len(items).to_bytes(_WORD, "little")]
    for item_id, item in items:
        header += (len(item).to_bytes(_WORD, "little"), item_id)
    return b"".join([*header, *(item for _, item in items)])


def decode_bundle(encoded: bytes) -> Iterator[tuple[Id, bytes]]:
    """Yield the items of a bundle; their IDs are what the bundle says, not checked.

    Raises:
        MalformedItem: the bytes are no whole bundle.
    """
    count = _number(encoded, 0)
    offset = _WORD * (1 + 2 * count)
    if offset > len(encoded):
        raise MalformedItem("the bundle's header is cut off")
    for entry in range(_WORD, offset, 2 * _WORD):
        end = offset + _number(encoded, entry)
        if end > len(encoded):
            raise MalformedItem("the bundle is cut off")
        yield Id(encoded[entry + _WORD : entry + 2 * _WORD]), encoded[offset:end]
        offset = end
    if offset != len(encoded):
        raise MalformedItem("the bundle is longer than its header says")


def _number(encoded: bytes, offset: int) -> int:
    return int.from_bytes(encoded[offset : offset + _WORD], "little")
