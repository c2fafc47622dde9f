"""Reading a store of several shards as if it were one."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Self

from protocol.assignment import Assignment
from protocol.errors import NotFound, SchedulerError
from protocol.ids import Id
from storage.journal import PAGE_LIMIT, Body, Head, Page, Reader, Receipt, Totals, Work
from storage.placement import shard_of
from storage.reader import LmdbReader


class ShardedReader(Reader):
    """Implement `Reader` over all shards of a store, each call in the shard it concerns.

    Safe to use from many threads. What spans shards, such as `totals`, is no single moment:
    each shard is read after the other.

    Attributes:
        readers: one per shard, in order of their numbers.
    """

    def __init__(self, readers: Sequence[LmdbReader]) -> None:
        """Use `storage.open_readers`, which opens what the store's manifest says."""
        self.readers = tuple(readers)

    def head(self, process: Id) -> Head:
        """Return where `process` stands. See `Reader`."""
        return self.reader_of(process).head(process)

    def latest(self, process: Id) -> Assignment:
        """Return the assignment of the highest stored slot. See `Reader`."""
        return self.reader_of(process).latest(process)

    def assignment(self, process: Id, slot: int) -> Assignment:
        """Return the stored assignment of one slot. See `Reader`."""
        return self.reader_of(process).assignment(process, slot)

    def page(self, process: Id, first: int, last: int | None, limit: int = PAGE_LIMIT) -> Page:
        """Return stored assignments `first`..`last` (inclusive), at most `limit`. See `Reader`."""
        return self.reader_of(process).page(process, first, last, limit)

    def body(self, message_id: Id) -> Body:
        """Return a message's bytes, from whichever shard has them whole. See `Reader`.

        A message lies in the shards of the processes that it was assigned to, which its ID
        does not tell.
        """
        failure: SchedulerError = NotFound(f"message {message_id} is not in this store")
        for reader in self.readers:
            try:
                return reader.body(message_id)
            except NotFound:
                continue
            except SchedulerError as exc:
                failure = exc
        raise failure

    def slot_of(self, process: Id, message_id: Id) -> int | None:
        """Return the first slot that holds the message, or None. See `Reader`."""
        return self.reader_of(process).slot_of(process, message_id)

    def receipt(self, process: Id, slot: int) -> Receipt | None:
        """Return what the bundler acknowledged for a stored slot, or None. See `Reader`."""
        return self.reader_of(process).receipt(process, slot)

    def processes(self, after: Id | None = None, limit: int = PAGE_LIMIT) -> list[Id]:
        """Return process IDs in key order, from the first one above `after`. See `Reader`."""
        found = (reader.processes(after, limit) for reader in self.readers)
        return list(islice(merge(*found), limit))

    def process_count(self) -> int:
        """Return how many processes the store holds. See `Reader`."""
        return sum(reader.process_count() for reader in self.readers)

    def totals(self) -> Totals:
        """Return how many slots the store holds. See `Reader`."""
        found = [reader.totals() for reader in self.readers]
        return Totals(
            sum(totals.pinned for totals in found),
            sum(totals.stored for totals in found),
            sum(totals.published for totals in found),
        )

    def pinned(self, process: Id, first: int, last: int) -> list[Assignment]:
        """Return the pinned slots `first`..`last`, unsigned. See `Reader`."""
        return self.reader_of(process).pinned(process, first, last)

    def work(self, after: Id | None = None, limit: int = PAGE_LIMIT) -> list[Work]:
        """Return unfinished work, from the first process above `after`. See `Reader`."""
        found = (reader.work(after, limit) for reader in self.readers)
        return list(islice(merge(*found, key=attrgetter("process")), limit))

    def reader_of(self, process: Id) -> LmdbReader:
        """Return the reader of the shard that holds everything about `process`."""
        return self.readers[shard_of(process, len(self.readers))]

    def close(self) -> None:
        """Give every shard up; waits for reads in progress. Idempotent."""
        for reader in self.readers:
            reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ShardedReader {list(self.readers)}>"
