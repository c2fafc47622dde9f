"""How much a scheduler has under way, for whoever measures it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """Numbers of this moment, over all shards; in one program asking for them costs nothing.

    Attributes:
        queued: requests between acceptance and the store.
        queued_bytes: bytes of their messages.
        under_way: slots given and not stored.
        to_sign: slots that no signer has begun with.
        live_processes: processes whose actors are in memory.
        unpublished_processes: those in memory with stored slots that have no receipt.
        followers: subscriptions to stored slots.
        commits, records: transactions since the start, and entries in them.
    """

    queued: int = 0
    queued_bytes: int = 0
    under_way: int = 0
    to_sign: int = 0
    live_processes: int = 0
    unpublished_processes: int = 0
    followers: int = 0
    commits: int = 0
    records: int = 0
