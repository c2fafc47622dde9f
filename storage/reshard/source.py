"""An old shard: checked, taken from every writer before us, then only read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from pathlib import Path
from typing import Self

from protocol.errors import NeedsAdoption
from storage.bodies import BodyFiles
from storage.claim import read_claim
from storage.environment import data_file
from storage.layout import Layout
from storage.map_size import wanted_map_size
from storage.opening import open_environment, shard_folder
from storage.reshard.damage import Damaged
from storage.settings import StoreSettings
from storage.snapshot import Snapshot
from storage.tables import META, OWNERSHIP
from storage.verify.foundation import file_complaints

Entry = tuple[bytes, bytes]
"""A key and its record, as they are kept."""


class Source:
    """One shard of the store as it is. Who makes this holds the writer's lock of the shard.

    Attributes:
        bodies: its large messages.
        map_size: bytes of address space that its next writer would ask for.
        snapshot: the moment that everything is copied from, once `begin` was called.
    """

    def __init__(self, layout: Layout, shard: int, shards: int, settings: StoreSettings) -> None:
        """Open it.

        Raises:
            NeedsAdoption: it may not be written on this machine, and neither may its copy.
            StoreInvalid: it is missing, or cannot be opened.
            CorruptRecord: its ownership record is damaged.
        """
        folder = shard_folder(layout, shard, shards)
        self._environment = open_environment(folder, settings, readonly=False)
        try:
            self._claim = read_claim(self._environment)
            if self._claim.obstacle:
                raise NeedsAdoption(f"{layout.root} must be adopted first: {self._claim.obstacle}")
        except BaseException:
            self._environment.close()
            raise
        self.bodies = BodyFiles(folder, settings.large_body)
        self.map_size = wanted_map_size(folder, settings.map_size)

    @property
    def owner(self) -> bytes:
        """The packed ownership record, b"" when nobody ever wrote; `take` replaces it."""
        return self._claim.found or b""

    @property
    def stopped_cleanly(self) -> bool:
        """Whether its last writer closed in good order."""
        return self._claim.stopped_cleanly

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._environment.folder

    def check(self) -> None:
        """Walk the database file without mapping it: reading a damaged one could end us.

        Raises:
            Damaged: the file is not sound.
        """
        for complaint in file_complaints(data_file(self.folder)):
            raise Damaged(f"{self.folder.name}: {complaint}")

    def take(self) -> None:
        """Write an ownership record of our own: a stale writer fails at its next commit.

        Raises:
            Fenced: one has been here since this was opened.
            lmdb.Error: it cannot be written.
        """
        environment, claim = self._environment, self._claim
        record = claim.own._replace(stopped=claim.stopped_cleanly).pack()
        with environment.gate, environment.begin_write() as transaction:
            claim.hold(transaction, environment)
            transaction.put(OWNERSHIP, record, db=environment.tables[META])
        claim.found = record

    def begin(self) -> None:
        """Begin the read transaction that everything is copied in."""
        self._transaction = self._environment.begin_read()
        self.snapshot = Snapshot(self._transaction, self._environment.tables, {})

    def entries(self, table: bytes, first: bytes) -> Iterator[Entry]:
        """Yield what a table holds, in key order from `first` on."""
        with self._transaction.cursor(self._environment.tables[table]) as cursor:
            if cursor.set_range(first):
                yield from cursor.iternext()

    @property
    def used_bytes(self) -> int:
        """What the database takes on the disk, with pages that are free again."""
        return data_file(self.folder).stat().st_size

    def close(self) -> None:
        """Give it up. Idempotent."""
        if hasattr(self, "_transaction"):
            self._transaction.abort()
        self._environment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def merged(sources: Sequence[Source], table: bytes, first: bytes) -> Iterator[Entry]:
    """Yield what all shards hold in a table, in key order from `first` on.

    A key that is in several shards comes several times.
    """
    streams = [source.entries(table, first) for source in sources]
    return streams[0] if len(streams) == 1 else merge(*streams)


def counted(sources: Sequence[Source], table: bytes) -> int:
    """Return how many records all shards hold in a table."""
    return sum(source.snapshot.count(table) for source in sources)
