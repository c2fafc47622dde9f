"""Stores of several shards: schedules written where they belong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from protocol.ids import Id
from storage import Batch, LmdbJournal, StoreSettings, open_writer, shard_of
from tests.storage.schedules import random_id


class Shards:
    """Every shard of a store, open for writing."""

    def __init__(self, journals: list[LmdbJournal]) -> None:
        self.journals = journals

    def of(self, process: Id) -> LmdbJournal:
        return self.journals[shard_of(process, len(self.journals))]

    def append(self, *batches: Batch) -> None:
        """Write batches where they belong, large messages first; one commit for each shard."""
        for shard, journal in enumerate(self.journals):
            own = _within(batches, shard, len(self.journals))
            for pin in own.pins:
                journal.keep_body(pin.assignment.message_id, pin.body)
            journal.append(own)


DEFAULTS = StoreSettings()


@contextmanager
def writing(root: Path, shards: int, settings: StoreSettings = DEFAULTS) -> Iterator[Shards]:
    """Open every shard of a store for writing, as shard processes do one by one."""
    with ExitStack() as opened:
        yield Shards(
            [
                opened.enter_context(
                    open_writer(root, shard=shard, shards=shards, settings=settings)
                )
                for shard in range(shards)
            ]
        )


def _within(batches: Sequence[Batch], shard: int, shards: int) -> Batch:
    """Join what belongs to one shard."""

    def ours(process: Id) -> bool:
        return shard_of(process, shards) == shard

    pins = [pin for batch in batches for pin in batch.pins]
    signed = [assignment for batch in batches for assignment in batch.signed]
    receipts = [receipt for batch in batches for receipt in batch.receipts]
    return Batch(
        [pin for pin in pins if ours(pin.assignment.process)],
        [assignment for assignment in signed if ours(assignment.process)],
        [receipt for receipt in receipts if ours(receipt.process)],
    )


def one_of_each(shards: int) -> list[Id]:
    """Return a process ID for every shard, in order of their numbers."""
    found: dict[int, Id] = {}
    while len(found) < shards:
        process = random_id()
        found.setdefault(shard_of(process, shards), process)
    return [found[shard] for shard in range(shards)]
