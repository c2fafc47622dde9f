"""One LMDB environment with its databases: opened, shared between threads, closed."""

from __future__ import annotations

import os
from pathlib import Path

import lmdb

from protocol.errors import Closed, StoreInUse, StoreInvalid
from storage.forks import give_up_in_children
from storage.gate import Gate
from storage.tables import TABLES, Tables

MAX_READERS = 1022
"""Read transactions at once, over all programs: what fits into `LOCK_FILE_BYTES`."""
LOCK_FILE_BYTES = 64 << 10
SPARE_TRANSACTIONS = 16
"""Finished read transactions kept for reuse: one per thread that reads at once."""
SMALLEST_MAP = 64 << 20
_DATA = "data.mdb"
_LOCK = "lock.mdb"


class Environment:
    """An open environment. Any thread may read; one thread writes.

    Closing waits for the transactions in progress; a forked child is refused.
    """

    def __init__(self, folder: Path, map_size: int, *, readonly: bool) -> None:
        """Open the environment in `folder`, with less address space where this is refused.

        Raises:
            StoreInvalid: the folder holds no environment that can be opened.
            StoreInUse: this program has it open already.
        """
        self.folder = folder
        self.gate = Gate()
        self._pid = os.getpid()
        self._lmdb = _open(folder, map_size, readonly=readonly)
        try:
            self.tables: Tables = {name: self._lmdb.open_db(name, create=False) for name in TABLES}
        except lmdb.Error as exc:
            self._lmdb.close()
            raise StoreInvalid(f"{folder} lacks a database: {exc}") from exc
        give_up_in_children(self)

    def begin_read(self) -> lmdb.Transaction[bytes]:
        """Begin a read transaction; the caller is inside the gate."""
        return self._lmdb.begin()

    def begin_write(self) -> lmdb.Transaction[bytes]:
        """Begin the write transaction; the caller is inside the gate."""
        return self._lmdb.begin(write=True)

    def close(self) -> None:
        """Refuse new transactions, wait for those in progress, and close. Idempotent."""
        self.gate.refuse(Closed("the store is closed"))
        if os.getpid() == self._pid:
            self.gate.drain()
            self._lmdb.close()

    def forget_dead_readers(self) -> int:
        """Free the reader slots of programs that died; their snapshots pin old pages."""
        with self.gate:
            return self._lmdb.reader_check()

    def copy(self, folder: Path) -> None:
        """Write a compacted, consistent copy into the empty `folder`."""
        with self.gate:
            self._lmdb.copy(str(folder), compact=True)
        data_file(folder).chmod(0o600)

    @property
    def flags(self) -> dict[str, bool]:
        """How the environment is open: ``sync``, ``metasync``, ``writemap``, ``readonly``..."""
        with self.gate:
            return {str(name): bool(value) for name, value in self._lmdb.flags().items()}

    @property
    def map_size(self) -> int:
        """Bytes of address space it was opened with."""
        with self.gate:
            return self._lmdb.info()["map_size"]

    def after_fork(self) -> None:
        """Refuse use in a forked child. See `storage.forks`."""
        self.gate.reset_after_fork(
            Closed(f"this store was opened by process {self._pid}; a forked child cannot use it")
        )


def create_environment(folder: Path, map_size: int) -> None:
    """Make an environment with all its databases in the new, empty `folder`.

    Raises:
        OSError: there is no room.
        lmdb.Error: there is no room.
    """
    reserve_lock_file(folder)
    environment = _open(folder, map_size, readonly=False)
    try:
        # In one transaction, for each one waits for the disk.
        with environment.begin(write=True) as transaction:
            for name in TABLES:
                environment.open_db(name, transaction)
    finally:
        environment.close()


def reserve_lock_file(folder: Path) -> None:
    """Give LMDB's reader table real blocks, so that a full disk cannot kill its users.

    LMDB maps this file into memory and writes there. With holes in it, the first write to
    a full disk would end the program with SIGBUS.

    Raises:
        OSError: there is no room.
    """
    path = folder / _LOCK
    if path.exists() and path.stat().st_blocks * 512 >= LOCK_FILE_BYTES:
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, LOCK_FILE_BYTES)
    finally:
        os.close(descriptor)


def data_file(folder: Path) -> Path:
    """The file that holds the environment's pages."""
    return folder / _DATA


def _open(folder: Path, map_size: int, *, readonly: bool) -> lmdb.Environment:
    """Open with default sync flags: `sync`, `metasync` on, `writemap` off. Never otherwise.

    Who writes looks up single records all over the store: what the system would read ahead is of
    no use there, and would fill the program's resident memory. Copies and pages do gain by it.
    Halves the address space until the system grants it.
    """
    while True:
        try:
            return lmdb.open(
                str(folder),
                map_size=map_size,
                max_dbs=len(TABLES),
                max_readers=MAX_READERS,
                max_spare_txns=SPARE_TRANSACTIONS,
                mode=0o600,
                readonly=readonly,
                readahead=readonly,
                create=not readonly,
            )
        except (lmdb.MemoryError, MemoryError) as exc:
            map_size //= 2
            if map_size < SMALLEST_MAP:
                raise StoreInvalid(f"no address space to map {folder}") from exc
        except lmdb.Error as exc:
            if "already open" in str(exc):
                raise StoreInUse(f"{folder} is open in this program already") from exc
            raise StoreInvalid(f"cannot open {folder}: {exc}") from exc
