"""Verified slots of other schedulers' processes: a cache, never local truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from protocol.commitment import Commitment
from protocol.entry import Entry
from protocol.errors import CorruptRecord, InvalidInput
from protocol.ids import Id, digest_id
from protocol.message import Message
from storage.cache import Cache
from storage.records import pack_pin, unpack_pin
from storage.sealing import seal, unseal
from storage.tables import FOREIGN, slot_key

MAX_FOREIGN_BYTES = 1 << 30
"""Bytes of schedules kept. Beyond it the cache starts afresh: which schedules are still
followed shows at once, and no order of use has to be written down with every read."""
LAST_SLOT = (1 << 63) - 1
"""Higher numbers fit into no key, and no schedule has them."""


class ForeignTable:
    """Keep slots that were verified, and give them back. Any thread."""

    def __init__(self, cache: Cache, max_bytes: int = MAX_FOREIGN_BYTES) -> None:
        """Take the database, and the bytes of schedules that it may hold."""
        self._cache = cache
        self._max_bytes = max_bytes

    def entry(self, process: Id, slot: int) -> Entry | None:
        """Return one slot, or None."""
        return next(iter(self.entries(process, slot, 1)), None)

    def entries(self, process: Id, first: int, limit: int) -> tuple[Entry, ...]:
        """Return consecutive slots from `first` on, at most `limit`, up to the first gap."""
        found: list[Entry] = []
        if first > LAST_SLOT:
            return ()
        for key, record in self._cache.run(FOREIGN, slot_key(process, first), limit):
            entry = _unpack(process, key, record)
            if key != slot_key(process, first + len(found)) or entry is None:
                break
            found.append(entry)
        return tuple(found)

    def keep(self, entries: Sequence[Entry]) -> bool:
        """Keep verified slots; tell whether they are durable now."""
        if self._cache.size(FOREIGN)[1] > self._max_bytes:
            self._cache.clear(FOREIGN)
        records: dict[bytes, bytes] = {}
        left = self._max_bytes
        for entry in entries:
            key = slot_key(entry.assignment.process, entry.assignment.slot)
            records[key] = _pack(key, entry)
            left -= len(records[key])
            if left < 0:
                return False
        return self._cache.put(FOREIGN, records)


def _pack(key: bytes, entry: Entry) -> bytes:
    commitments = [
        (made.device, made.type, made.owner, made.signature)
        for made in entry.assignment.commitments
    ]
    message, original = entry.message, entry.assignment.original
    pin = pack_pin(key, entry.assignment)
    return seal(FOREIGN, key, (pin, commitments, original, message.codec, message.encoded))


def _unpack(process: Id, key: bytes, record: bytes) -> Entry | None:
    # A record that cannot be read, or not any more, is fetched again.
    try:
        pin, commitments, original, codec, encoded = unseal(FOREIGN, key, record)
        signed = tuple(
            Commitment(digest_id(signature), digest_id(owner), device, kind, owner, signature)
            for device, kind, owner, signature in commitments
        )
        assignment = replace(unpack_pin(process, key, pin, signed), original=original)
        return Entry(assignment, Message.decode(encoded, codec))
    except (CorruptRecord, InvalidInput, ValueError):
        return None
