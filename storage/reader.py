"""Reading a store, by its own writer or beside one in another program."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from protocol.assignment import Assignment
from protocol.errors import NotFound
from protocol.ids import Id
from storage.bodies import BodyFiles
from storage.environment import Environment
from storage.journal import PAGE_LIMIT, Body, Head, Page, Reader, Receipt, Totals, Work
from storage.layout import Layout
from storage.paging import page_bounds, require_stored
from storage.reading import Reading
from storage.settings import StoreSettings
from storage.snapshot import Owners
from storage.tables import HEADS, WORK
from storage.tally import recorded


class LmdbReader(Reader):
    """Implement `Reader` over one shard. Every call is one transaction.

    Safe to use from many threads. Takes no lock: a writer in another program goes on.

    Attributes:
        layout: where the store lies.
        shard: number of the shard.
        environment: the open LMDB environment.
    """

    def __init__(
        self, layout: Layout, shard: int, settings: StoreSettings, environment: Environment
    ) -> None:
        """Use `storage.open_reader`, which checks that this is a store."""
        self.layout = layout
        self.shard = shard
        self.environment = environment
        self._bodies = BodyFiles(layout.shard(shard), settings.large_body)
        self._owners: Owners = {}

    @property
    def readers(self) -> tuple[LmdbReader, ...]:
        """This one: whatever reads a store has one for each shard."""
        return (self,)

    def reader_of(self, process: Id) -> LmdbReader:
        """Return this one: whatever reads a store knows the shard of a process."""
        return self

    def head(self, process: Id) -> Head:
        """Return where `process` stands. See `Reader`."""
        with self.snapshot() as snapshot:
            return snapshot.head(process)

    def latest(self, process: Id) -> Assignment:
        """Return the assignment of the highest stored slot. See `Reader`."""
        with self.snapshot() as snapshot:
            stored = snapshot.head(process).stored
            if stored < 0:
                raise NotFound(f"process {process} has no stored slot yet")
            return snapshot.signed(process, stored)

    def assignment(self, process: Id, slot: int) -> Assignment:
        """Return the stored assignment of one slot. See `Reader`."""
        with self.snapshot() as snapshot:
            require_stored(snapshot.head(process), slot)
            return snapshot.signed(process, slot)

    def page(self, process: Id, first: int, last: int | None, limit: int = PAGE_LIMIT) -> Page:
        """Return stored assignments `first`..`last` (inclusive), at most `limit`. See `Reader`.

        A range beyond the stored slots is an empty page.
        """
        with self.snapshot() as snapshot:
            first, final, more = page_bounds(snapshot.head(process), first, last, limit)
            return Page(tuple(snapshot.signed_run(process, first, final)), more)

    def body(self, message_id: Id) -> Body:
        """Return a message's bytes. See `Reader`."""
        with self.snapshot() as snapshot:
            stored = snapshot.body(message_id)
        if stored is None:
            raise NotFound(f"message {message_id} is not in this store")
        return self._bodies.load(stored)

    def slot_of(self, process: Id, message_id: Id) -> int | None:
        """Return the first slot that holds the message, or None. See `Reader`."""
        with self.snapshot() as snapshot:
            return snapshot.slot_of(process, message_id)

    def receipt(self, process: Id, slot: int) -> Receipt | None:
        """Return what the bundler acknowledged for a stored slot, or None. See `Reader`."""
        with self.snapshot() as snapshot:
            require_stored(snapshot.head(process), slot)
            return snapshot.receipt(process, slot)

    def processes(self, after: Id | None = None, limit: int = PAGE_LIMIT) -> list[Id]:
        """Return process IDs in key order, from the first one above `after`. See `Reader`."""
        with self.snapshot() as snapshot:
            return [Id(key) for key, _ in snapshot.above(HEADS, after, limit)]

    def process_count(self) -> int:
        """Return how many processes the store holds. See `Reader`."""
        with self.snapshot() as snapshot:
            return snapshot.count(HEADS)

    def totals(self) -> Totals:
        """Return how many slots the store holds. See `Reader`."""
        with self.snapshot() as snapshot:
            return Totals(*recorded(snapshot))

    def pinned(self, process: Id, first: int, last: int) -> list[Assignment]:
        """Return the pinned slots `first`..`last`, unsigned. See `Reader`."""
        with self.snapshot() as snapshot:
            last = min(last, snapshot.head(process).pinned)
            return list(snapshot.pinned_run(process, max(first, 0), last))

    def work(self, after: Id | None = None, limit: int = PAGE_LIMIT) -> list[Work]:
        """Return unfinished work, from the first process above `after`. See `Reader`."""
        with self.snapshot() as snapshot:
            return [
                snapshot.work(Id(process), record)
                for process, record in snapshot.above(WORK, after, limit)
            ]

    def snapshot(self) -> Reading:
        """Return a context manager for several reads of one moment; keep it short.

        A read transaction that stays open keeps every page that changes meanwhile.
        """
        return Reading(self.environment, self._owners)

    def copy_into(self, folder: Path) -> None:
        """Copy the shard as of one moment into the empty `folder`. See `storage.backup`.

        Raises:
            OSError: there is no room.
            lmdb.Error: there is no room.
        """
        self.environment.copy(folder)
        # After the records: whatever they name was there before them.
        self._bodies.copy_into(folder)

    def close(self) -> None:
        """Give the store up; waits for reads in progress. Idempotent."""
        self.environment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self.environment.gate.shut else "open"
        return f"<{type(self).__name__} {self.layout.root} shard={self.shard} {state}>"
