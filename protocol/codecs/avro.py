"""ANS-104 tags as the Avro array of (name, value) records that they are on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from protocol.errors import MalformedItem

MAX_VARINT_BYTES = 10
"""Longest encoding of a 64-bit zig-zag number."""
_MORE = 0x80
"""Set in a byte that is followed by more of its number."""

Tag = tuple[bytes, bytes]


class DecodedTags(NamedTuple):
    """Tags as read, and whether the bytes are the one canonical encoding of them."""

    tags: tuple[Tag, ...]
    canonical: bool


def encode_tags(tags: Sequence[Tag]) -> bytes:
    """Return one Avro block of the tags and its end mark; nothing at all for no tags."""
    if not tags:
        return b""
    parts = [_number(len(tags))]
    for name, value in tags:
        parts += (_number(len(name)), name, _number(len(value)), value)
    parts.append(b"\0")
    return b"".join(parts)


def decode_tags(raw: bytes) -> DecodedTags:
    """Read tags, in any number of blocks, with or without block sizes.

    Every length is checked against what is left before it is used.

    Raises:
        MalformedItem: the bytes end too early, a length is negative, or bytes are left over.
    """
    if not raw:
        return DecodedTags((), True)
    usual = _one_block(raw)
    if usual is not None:
        return DecodedTags(usual, True)
    tags: list[Tag] = []
    position = 0
    while True:
        count, position = _read_number(raw, position)
        if count == 0:
            break
        if count < 0:
            # A negative count announces the block's size in bytes, which is not needed.
            count, (_, position) = -count, _read_number(raw, position)
        for _ in range(count):
            name, position = _read_bytes(raw, position)
            value, position = _read_bytes(raw, position)
            tags.append((name, value))
    if position != len(raw):
        raise MalformedItem(f"{len(raw) - position} bytes follow the end of the tags")
    return DecodedTags(tuple(tags), encode_tags(tags) == raw)


def _one_block(raw: bytes) -> tuple[Tag, ...] | None:
    """Read what `encode_tags` writes for fewer than 64 tags; None when it is anything else.

    Nearly all items have that form. Reading it at once costs a third of reading every form and
    writing it again to compare.
    """
    if raw[0] >= _MORE or raw[0] & 1:
        return None
    fields: list[bytes] = []
    position = 1
    try:
        for _ in range(raw[0]):
            length = raw[position]
            position += 1
            if length >= _MORE:
                high = raw[position]
                position += 1
                if not 0 < high < _MORE:
                    return None
                length = length & 0x7F | high << 7
            if length & 1:
                return None
            end = position + (length >> 1)
            fields.append(raw[position:end])
            position = end
        ended = raw[position] == 0 and position + 1 == len(raw)
    except IndexError:
        return None
    return tuple(zip(fields[::2], fields[1::2], strict=True)) if ended and fields else None


@lru_cache(maxsize=1024)
def _number(value: int) -> bytes:
    # Lengths and counts are never negative, so zig-zag is a doubling.
    value <<= 1
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _read_bytes(raw: bytes, position: int) -> tuple[bytes, int]:
    length, position = _read_number(raw, position)
    end = position + length
    if length < 0 or end > len(raw):
        raise MalformedItem("a tag is longer than what is left of the tags")
    return raw[position:end], end


def _read_number(raw: bytes, position: int) -> tuple[int, int]:
    if position < len(raw) and (byte := raw[position]) < 0x80:
        return (byte >> 1) ^ -(byte & 1), position + 1
    encoded = 0
    for shift, byte in enumerate(raw[position : position + MAX_VARINT_BYTES]):
        encoded |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return (encoded >> 1) ^ -(encoded & 1), position + shift + 1
    raise MalformedItem("the tags end within a number, or a number is too long")
