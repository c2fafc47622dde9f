"""Deep hash: SHA-384 over a list of byte strings, as ANS-104 signs it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha384


def deep_hash(blobs: Sequence[bytes]) -> bytes:
    """Return the 48-byte deep hash of a flat list of byte strings. Source: ANS-104."""
    return fold(list_seed(len(blobs)), *blobs)


def list_seed(count: int) -> bytes:
    """Return the accumulator of a list of `count` elements before its first element."""
    return sha384(b"list%d" % count).digest()


def fold(accumulator: bytes, *blobs: bytes) -> bytes:
    """Return the accumulator after the next elements; lets a constant prefix be kept."""
    for blob in blobs:
        element = sha384(_tag(len(blob)) + sha384(blob).digest()).digest() if blob else _EMPTY
        accumulator = sha384(accumulator + element).digest()
    return accumulator


@lru_cache(maxsize=4096)
def _tag(length: int) -> bytes:
    return sha384(b"blob%d" % length).digest()


_EMPTY = sha384(_tag(0) + sha384(b"").digest()).digest()
"""The element of no bytes: most items have no anchor, and assignments no data."""
