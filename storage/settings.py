"""What an operator can set about a store."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Limits of one store; the same values on every start."""

    map_size: int = 1 << 40
    """Bytes of address space for one shard, sparse. A shard cannot grow beyond it while
    open; it is doubled at the next open once a transaction did not fit."""

    min_free_bytes: int = 256 << 20
    """Free disk space to keep in reserve. Below it no slot is given any more (`StoreFull`),
    and what was given already can still be signed and stored."""

    large_body: int = 1_000_000
    """Bytes from which on a message is a file of its own instead of a record."""
