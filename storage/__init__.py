"""What is durable: a store of slots, signatures, messages and receipts on LMDB."""

from __future__ import annotations

from storage.adoption import adopt
from storage.backup import backup
from storage.journal import (
    PAGE_LIMIT,
    Batch,
    Body,
    Head,
    Journal,
    Page,
    Pin,
    Reader,
    Receipt,
    Totals,
    Work,
    read_all,
)
from storage.lmdb_journal import LmdbJournal
from storage.manifest import stored_shards
from storage.memory_journal import MemoryDisk, MemoryJournal
from storage.opening import open_reader, open_readers, open_writer
from storage.placement import shard_of
from storage.reader import LmdbReader
from storage.settings import StoreSettings
from storage.sharded_reader import ShardedReader

__all__ = [
    "PAGE_LIMIT",
    "Batch",
    "Body",
    "Head",
    "Journal",
    "LmdbJournal",
    "LmdbReader",
    "MemoryDisk",
    "MemoryJournal",
    "Page",
    "Pin",
    "Reader",
    "Receipt",
    "ShardedReader",
    "StoreSettings",
    "Totals",
    "Work",
    "adopt",
    "backup",
    "open_reader",
    "open_readers",
    "open_writer",
    "read_all",
    "shard_of",
    "stored_shards",
]
