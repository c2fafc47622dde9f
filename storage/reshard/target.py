"""A new shard while it is built: filled in key order, so that it tells itself how far it got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import lmdb

from storage.bodies import BodyFiles
from storage.creation import create_shard
from storage.environment import Environment, data_file
from storage.ownership import Ownership, machine_mark
from storage.reshard.damage import Damaged
from storage.reshard.source import Entry
from storage.snapshot import Snapshot
from storage.tables import META, OWNERSHIP, TALLY
from storage.tally import Tally, counted


class Target:
    """One shard of the store to be. Nobody opens it for writing before the manifest names it."""

    def __init__(self, folder: Path, map_size: int, large_body: int) -> None:
        """Open what is there already, or create it.

        Raises:
            StoreInvalid: it cannot be opened.
            OSError: there is no room.
        """
        if not folder.exists():
            create_shard(folder, map_size)
        self._environment = Environment(folder, map_size, readonly=False)
        self.bodies = BodyFiles(folder, large_body)

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._environment.folder

    @property
    def used_bytes(self) -> int:
        """What the database takes on the disk."""
        return data_file(self.folder).stat().st_size

    def reached(self, table: bytes) -> bytes:
        """Return the last key that a table holds, b"" when it holds none."""
        with (
            self._environment.gate,
            self._environment.begin_read() as transaction,
            transaction.cursor(self._environment.tables[table]) as cursor,
        ):
            return cursor.key() if cursor.last() else b""

    def count(self, table: bytes) -> int:
        """Return how many records a table holds."""
        with self._environment.gate, self._environment.begin_read() as transaction:
            return Snapshot(transaction, self._environment.tables, {}).count(table)

    def tally(self) -> Tally:
        """Count what is there."""
        with self._environment.gate, self._environment.begin_read() as transaction:
            return counted(Snapshot(transaction, self._environment.tables, {}))

    def append(self, table: bytes, entries: Sequence[Entry]) -> None:
        """Put records after all that a table holds, in one durable step.

        Raises:
            Damaged: they are not in key order.
            lmdb.Error: nothing of it may be there; open it again to go on.
        """
        with self._environment.gate, self._environment.begin_write() as transaction:
            self._put(transaction, table, entries)

    def finish(self, keys: Mapping[bytes, bytes], *, stopped: bool) -> None:
        """Write what makes it a shard of this machine: public keys, totals, ownership.

        Args:
            keys: records of the public keys.
            stopped: whether the writers before closed in good order.
        """
        tables = self._environment.tables
        owner = Ownership.new(machine_mark(self.folder))._replace(stopped=stopped)
        with self._environment.gate, self._environment.begin_write() as transaction:
            tally = counted(Snapshot(transaction, tables, {}))
            own = {TALLY: tally.pack(), OWNERSHIP: owner.pack()}
            with transaction.cursor(tables[META]) as cursor:
                cursor.putmulti([*keys.items(), *own.items()])

    def close(self) -> None:
        """Give it up. Idempotent."""
        self._environment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(
        self, transaction: lmdb.Transaction[bytes], table: bytes, entries: Sequence[Entry]
    ) -> None:
        with transaction.cursor(self._environment.tables[table]) as cursor:
            _, added = cursor.putmulti(entries, append=True)
        if added != len(entries):
            raise Damaged(f"{table.decode()} records are out of order")
