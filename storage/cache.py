"""What other schedulers said, kept beside the store in a database of its own.

Why of its own, and not in tables of the store: LMDB gives up a whole environment when one
commit of it fails, and has one writer at a time. A cache that is written must neither fence the
scheduler nor keep the committer waiting, and what it holds (S11) must have no way to become
local truth. It is also written by the programs that speak HTTP, which with several shards are none
that hold a shard; LMDB itself lets them write one after the other.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import lmdb

from protocol.errors import Closed, SchedulerError, StoreInvalid, Unavailable
from storage.durable_files import PRIVATE_FOLDER
from storage.environment import reserve_lock_file
from storage.forks import give_up_in_children
from storage.gate import Gate
from storage.lock import WriterLock
from storage.space import SpaceGuard
from storage.tables import FOREIGN, LOCATIONS

if TYPE_CHECKING:
    from lmdb import _Database

REGISTRATIONS = b"registrations"
"""Message IDs of the operator's requests that were obeyed once."""
MAX_BYTES = 4 << 30
"""Size of the database. Foreign schedules make room for newer ones long before."""
MIN_FREE_BYTES = 512 << 20
"""Free space below which nothing is kept any more: above the store's own reserve, so that the
cache is never what makes a disk too full for the next slot."""
_TABLES = (LOCATIONS, FOREIGN, REGISTRATIONS)
_LOCK = "writer.lock"


class Cache:
    """Keep records that can be fetched again. Safe to use from many threads.

    Nothing here raises for a disk that fails or is full: what cannot be read is not there,
    what cannot be written is not kept. A database that cannot be opened is made again.

    Attributes:
        folder: where it lies.
        failures: reads and writes that the database refused, since it was opened.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        max_bytes: int = MAX_BYTES,
        min_free_bytes: int = MIN_FREE_BYTES,
        *,
        held: bool = False,
    ) -> None:
        """Open the cache in `folder`, or create it.

        Args:
            folder: holds nothing else; may be deleted while nobody uses it.
            max_bytes: size it never exceeds.
            min_free_bytes: space that it leaves free on the disk.
            held: another program of this node made it ready and holds it (`lend`): this one is
                one of several that write to it.

        Raises:
            StoreInUse: another program writes to it.
            StoreInvalid: the folder cannot be used at all.
        """
        self.folder = Path(folder)
        self.failures = 0
        self._gate = Gate()
        self._space = SpaceGuard(self.folder, min_free_bytes)
        try:
            self.folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        except OSError as exc:
            raise StoreInvalid(f"cannot create {self.folder}: {exc.strerror}") from exc
        self._lock = None if held else WriterLock(self.folder / _LOCK)
        try:
            self._open(max_bytes)
        except BaseException:
            self._release()
            raise
        give_up_in_children(self)

    def get(self, table: bytes, key: bytes) -> bytes | None:
        """Return a record, or None."""
        try:
            with self._gate, self._lmdb.begin(self._tables[table]) as transaction:
                return transaction.get(key)
        except (lmdb.Error, SchedulerError):
            self.failures += 1
            return None

    def run(self, table: bytes, first: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` (key, record) in key order, from `first` on."""
        try:
            with (
                self._gate,
                self._lmdb.begin(self._tables[table]) as transaction,
                transaction.cursor() as cursor,
            ):
                return list(islice(cursor.iternext(), limit)) if cursor.set_range(first) else []
        except (lmdb.Error, SchedulerError):
            self.failures += 1
            return []

    def put(self, table: bytes, records: Mapping[bytes, bytes]) -> bool:
        """Keep records, all or none; tell whether they are durable now."""
        try:
            self._space.require(sum(map(len, records.values())))
            with (
                self._gate,
                self._lmdb.begin(self._tables[table], write=True) as transaction,
                transaction.cursor() as cursor,
            ):
                cursor.putmulti(records.items())
        except (lmdb.Error, SchedulerError):
            self.failures += 1
            return False
        return True

    def replace(
        self, table: bytes, key: bytes, change: Callable[[bytes | None], bytes | None]
    ) -> bool:
        """Put what `change` makes of a record, unless that is None; tell whether it is durable now.

        Nobody else writes in between, in no other program either. What `change` raises is passed
        on, and nothing is written then.
        """
        try:
            with self._gate, self._lmdb.begin(self._tables[table], write=True) as transaction:
                record = change(transaction.get(key))
                if record is None:
                    return False
                self._space.require(len(record))
                transaction.put(key, record)
        except (lmdb.Error, Unavailable):
            self.failures += 1
            return False
        return True

    def clear(self, table: bytes) -> bool:
        """Forget all records of a table; tell whether they are gone."""
        try:
            with self._gate, self._lmdb.begin(write=True) as transaction:
                transaction.drop(self._tables[table], delete=False)
        except (lmdb.Error, SchedulerError):
            self.failures += 1
            return False
        return True

    def size(self, table: bytes) -> tuple[int, int]:
        """Return how many records a table has, and the bytes of the pages that hold them."""
        try:
            with self._gate, self._lmdb.begin() as transaction:
                stat = transaction.stat(self._tables[table])
        except (lmdb.Error, SchedulerError):
            self.failures += 1
            return 0, 0
        pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
        return stat["entries"], pages * stat["psize"]

    def lend(self) -> None:
        """Leave it to programs that open it as `held`, and keep others out until `close`."""
        self._shut("other programs of this node have the cache")

    def close(self) -> None:
        """Give it up; waits for reads and writes in progress. Idempotent."""
        self._shut("the cache is closed")
        self._release()

    def after_fork(self) -> None:
        """Refuse use in a forked child. See `storage.forks`."""
        self._gate.reset_after_fork(Closed("the cache belongs to the parent program"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Cache {self.folder} failures={self.failures}>"

    def _shut(self, reason: str) -> None:
        if not self._gate.shut:
            self._gate.refuse(Closed(reason))
            self._gate.drain()
            self._lmdb.close()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def _open(self, max_bytes: int) -> None:
        try:
            self._load(max_bytes)
        except (lmdb.Error, OSError) as exc:
            if self._lock is None:
                # Others have it open: making it again is for whoever holds it.
                raise StoreInvalid(f"cannot use {self.folder}: {exc}") from exc
            # Half made, or damaged: whatever it held can be fetched again.
            shutil.rmtree(self._database, ignore_errors=True)
            try:
                self._load(max_bytes)
            except (lmdb.Error, OSError) as exc:
                raise StoreInvalid(f"cannot use {self.folder}: {exc}") from exc

    def _load(self, max_bytes: int) -> None:
        self._database.mkdir(PRIVATE_FOLDER, exist_ok=True)
        reserve_lock_file(self._database)
        opened = lmdb.open(
            str(self._database), map_size=max_bytes, max_dbs=len(_TABLES), mode=0o600
        )
        try:
            # Of programs that were killed: their snapshots would pin old pages.
            opened.reader_check()
            self._tables: dict[bytes, _Database] = {name: opened.open_db(name) for name in _TABLES}
        except BaseException:
            with suppress(lmdb.Error):
                opened.close()
            raise
        self._lmdb = opened

    @property
    def _database(self) -> Path:
        return self.folder / "lmdb"
