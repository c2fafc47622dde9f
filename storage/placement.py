"""Placement: which shard a process belongs to, for as long as the number of shards stays."""

from __future__ import annotations

from hashlib import sha256

from protocol.ids import Id

_DIGITS = 8
"""Bytes of the digest that are read as a number: far more than shards are told apart by."""


def shard_of(process: Id, shards: int) -> int:
    """Return the shard, 0..`shards`-1, that holds everything about `process`.

    The first 8 bytes of SHA-256 over the 32 raw bytes, as a big-endian number, modulo the
    number of shards. Stores are laid out by this rule, so it never changes. Hashed once more
    because the ID of a message may be chosen by trying, and because other rules, such as which
    folder a file goes to, look at its first bytes.

    Args:
        process: ID of the process.
        shards: how many there are, at least 1.
    """
    return int.from_bytes(sha256(process).digest()[:_DIGITS], "big") % shards
