"""Where a store stands, as far as one can tell without being its writer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from protocol.errors import CorruptRecord
from protocol.ids import Id
from storage import LmdbReader, StoreSettings
from storage.claim import read_claim
from storage.lock import recorded_holder
from storage.space import free_bytes


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
class Standing:
    """What a reader can tell about one shard.

    Attributes:
        processes: how many it holds.
        writer: PID of the program that writes to it now, or None.
        obstacle: why nobody can write to it, or None.
        unfinished: of at most 1000 processes.
    """

    processes: int
    writer: int | None
    obstacle: str | None
    unfinished: tuple[Unfinished, ...]


def standing(reader: LmdbReader, wallet: Id | None) -> Standing:
    """Look at a store, beside its writer or without one.

    Args:
        reader: of the shard.
        wallet: address of the wallet that a writer would sign with, None when unknown.
    """
    claim = read_claim(reader.environment)
    # A writer that closed left its mark; of one that was killed, no program has the PID.
    writer = None if claim.stopped_cleanly else recorded_holder(reader.layout.lock(reader.shard))
    obstacle = _obstacle(reader, claim.obstacle)
    waits = obstacle or _waits(writer)
    unfinished = tuple(_unfinished(reader, wallet, waits))
    return Standing(reader.process_count(), writer, obstacle, unfinished)


def _obstacle(reader: LmdbReader, adoption: str) -> str | None:
    if adoption:
        return f"read-only until adopted: {adoption}"
    reserve = StoreSettings().min_free_bytes
    if free_bytes(reader.environment.folder) < reserve:
        return f"less than {reserve >> 20} MiB of the disk are free"
    return None


def _waits(writer: int | None) -> str:
    if writer is None:
        return "no program writes; the next one goes on with it"
    return f"PID {writer} is at work on it, and alone knows what holds it up"


def _unfinished(reader: LmdbReader, wallet: Id | None, waits: str) -> Iterator[Unfinished]:
    for work in reader.work():
        process = work.process
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
