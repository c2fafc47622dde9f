"""Where a store stands, as far as one can tell without being its writer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from protocol.errors import CorruptRecord
from protocol.ids import Id
from storage import LmdbReader, ShardedReader, StoreSettings
from storage.claim import read_claim
from storage.layout import Layout
from storage.lock import recorded_holder
from storage.manifest import require_manifest
from storage.space import free_bytes
from storage.unfinished import how_to_go_on, load_plan


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A slot that has not reached its next stage.

    Attributes:
        process: its process.
        slot: the first such slot of the process.
        awaits: "signature" or "receipt".
        reason: one sentence.
    """

    process: str
    slot: int
    awaits: str
    reason: str


@dataclass(frozen=True, slots=True)
class ShardStanding:
    """What a reader can tell about one shard.

    Attributes:
        shard: its number.
        processes: how many it holds.
        writer: PID of the program that writes to it now, or None.
        obstacle: why nobody can write to it, or None.
    """

    shard: int
    processes: int
    writer: int | None
    obstacle: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a reader can tell about a store.

    Attributes:
        processes: how many it holds.
        writer: PID of a program that writes to it now, or None; each shard may have its own.
        obstacle: why nobody can write to it, or to a part of it, or None.
        unfinished: of at most 1000 processes.
        shards: each by itself.
    """

    processes: int
    writer: int | None
    obstacle: str | None
    unfinished: tuple[Unfinished, ...]
    shards: tuple[ShardStanding, ...]


def standing(reader: LmdbReader | ShardedReader, wallet: Id | None) -> Standing:
    """Look at a store, beside its writer or without one.

    Args:
        reader: of the whole store.
        wallet: address of the wallet that a writer would sign with, None when unknown.
    """
    whole = _unfinished_resharding(reader.readers[0].layout)
    shards = [_shard(each, whole) for each in reader.readers]
    return Standing(
        sum(shard.processes for shard in shards),
        next((shard.writer for shard in shards if shard.writer is not None), None),
        next((shard.obstacle for shard in shards if shard.obstacle is not None), None),
        tuple(_unfinished(reader, shards, wallet)),
        tuple(shards),
    )


def _shard(reader: LmdbReader, obstacle: str | None) -> ShardStanding:
    claim = read_claim(reader.environment)
    # A writer that closed left its mark; of one that was killed, no program has the PID.
    writer = None if claim.stopped_cleanly else recorded_holder(reader.layout.lock(reader.shard))
    found = _obstacle(reader, claim.obstacle) or obstacle
    return ShardStanding(reader.shard, reader.process_count(), writer, found)


def _unfinished_resharding(layout: Layout) -> str | None:
    plan = load_plan(layout.root)
    if plan is None:
        return None
    return f"it is being resharded: {how_to_go_on(plan, require_manifest(layout))}"


def _obstacle(reader: LmdbReader, adoption: str) -> str | None:
    if adoption:
        return f"read-only until adopted: {adoption}"
    reserve = StoreSettings().min_free_bytes
    if free_bytes(reader.environment.folder) < reserve:
        return f"less than {reserve >> 20} MiB of the disk are free"
    return None


def _waits(shard: ShardStanding) -> str:
    if shard.obstacle is not None:
        return shard.obstacle
    if shard.writer is None:
        return "no program writes; the next one goes on with it"
    return f"PID {shard.writer} is at work on it, and alone knows what holds it up"


def _unfinished(
    whole: LmdbReader | ShardedReader, shards: Sequence[ShardStanding], wallet: Id | None
) -> Iterator[Unfinished]:
    for work in whole.work():
        process = work.process
        reader = whole.reader_of(process)
        waits = _waits(shards[reader.shard])
        if work.unsigned is not None:
            reason = _unfit(reader, process, work.unsigned, wallet) or waits
            yield Unfinished(str(process), work.unsigned, "signature", reason)
        if work.unpublished is not None:
            reason = _damaged(reader, process, work.unpublished) or waits
            yield Unfinished(str(process), work.unpublished, "receipt", reason)


def _unfit(reader: LmdbReader, process: Id, slot: int, wallet: Id | None) -> str | None:
    try:
        reader.pinned(process, slot, slot)
        signers = reader.head(process).terms.signers
    except CorruptRecord as exc:
        return exc.detail
    if wallet is None or set(signers) <= {wallet}:
        return None
    return f"it is signed by {', '.join(map(str, signers))}; the wallet here is {wallet}"


def _damaged(reader: LmdbReader, process: Id, slot: int) -> str | None:
    try:
        reader.assignment(process, slot)
    except CorruptRecord as exc:
        return exc.detail
    return None
