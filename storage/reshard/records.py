"""Copying what belongs to one process each: its records go where the process goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from protocol.ids import ID_BYTES, Id
from storage.placement import shard_of
from storage.reshard.source import Entry, Source, merged
from storage.reshard.target import Target
from storage.tables import (
    COMMITMENTS,
    FOREIGN,
    HEADS,
    INDEX,
    LOCATIONS,
    RECEIPTS,
    SLOTS,
    WORK,
)

BATCH_BYTES = 64 << 20
"""Records in one round of commits: many enough that the disk is not waited for all the time,
few enough for LMDB to keep what it changes in memory."""

ENTRY_BYTES = 120
"""What a key and the way to it take beside the record, about."""

TABLES = (SLOTS, COMMITMENTS, INDEX, HEADS, WORK, RECEIPTS, LOCATIONS, FOREIGN)
"""Everything whose keys begin with the ID of a process; in the last two, which no shard has
used so far, with an ID that places it as well as any."""

Parts = list[list[Entry]]
"""Records for each new shard, in key order."""


def copy(table: bytes, sources: Sequence[Source], targets: Sequence[Target]) -> Iterator[int]:
    """Copy a table, from where it was left; yield how many records came with each step.

    What was yielded is durable.
    """
    reached = [target.reached(table) for target in targets]
    for parts in routed(merged(sources, table, min(reached)), len(targets)):
        yield append(table, parts, targets, reached)


def routed(entries: Iterable[Entry], shards: int) -> Iterator[Parts]:
    """Cut records into batches, and each batch into what every shard gets of it."""
    parts: Parts = [[] for _ in range(shards)]
    part, process, size = parts[0], b"", 0
    for entry in entries:
        key, record = entry
        if not process or not key.startswith(process):
            process = key[:ID_BYTES]
            part = parts[shard_of(Id(process), shards)]
        part.append(entry)
        size += len(record) + ENTRY_BYTES
        if size >= BATCH_BYTES:
            yield parts
            parts = [[] for _ in range(shards)]
            process, size = b"", 0
    yield parts


def append(table: bytes, parts: Parts, targets: Sequence[Target], reached: Sequence[bytes]) -> int:
    """Write a batch, except for what a shard had when copying was taken up; return how much.

    `reached` is the key that each shard had come to then.
    """
    written = 0
    for target, part, had in zip(targets, parts, reached, strict=True):
        new = part if not had or (part and part[0][0] > had) else _above(part, had)
        if new:
            target.append(table, new)
            written += len(new)
    return written


def _above(part: list[Entry], key: bytes) -> list[Entry]:
    return [entry for entry in part if entry[0] > key]
