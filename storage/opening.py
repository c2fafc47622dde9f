"""Opening a store: for writing by one program, for reading by any."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from protocol.errors import StoreFull, StoreInvalid
from storage.bodies import NO_ROOM
from storage.claim import read_claim, sign_in
from storage.creation import ensure_store
from storage.environment import Environment, data_file, reserve_lock_file
from storage.layout import Layout
from storage.lmdb_journal import LmdbJournal
from storage.lock import WriterLock
from storage.manifest import Manifest, require_manifest
from storage.map_size import wanted_map_size
from storage.reader import LmdbReader
from storage.settings import StoreSettings
from storage.sharded_reader import ShardedReader
from storage.unfinished import layout_for_writing

DEFAULTS = StoreSettings()

Opened = TypeVar("Opened", LmdbReader, LmdbReader | ShardedReader)


def open_writer(
    root: str | os.PathLike[str],
    *,
    shard: int = 0,
    shards: int = 1,
    settings: StoreSettings = DEFAULTS,
) -> LmdbJournal:
    """Open one shard of the store in `root` for writing; create the store if there is none.

    A store that was moved, restored or copied opens too, and reads; writing to it raises
    `NeedsAdoption`. On a full disk it opens, reads, and writes again once there is room.

    Raises:
        StoreInUse: another program writes to this shard ("in use by PID n").
        StoreInvalid: the folder is no store that this version can open, or has another
            number of shards, or is being resharded.
        StoreFull: there is no room to create it.
        CorruptRecord: its ownership record is damaged.
    """
    folder = Path(root)
    ensure_store(Layout(folder), shards, settings)
    layout = layout_for_writing(folder, shards)
    shard_folder(layout, shard, shards)
    lock = WriterLock(layout.lock(shard))
    try:
        # Asked again: until the lock was ours, the store could be resharded.
        layout = layout_for_writing(folder, shards)
        return _take_over(layout, shard, shard_folder(layout, shard, shards), settings, lock)
    except BaseException:
        lock.release()
        raise


def open_reader(
    root: str | os.PathLike[str], *, shard: int = 0, settings: StoreSettings = DEFAULTS
) -> LmdbReader:
    """Open one shard of the store in `root` for reading, beside a writer or without one.

    Takes no lock. One program opens a shard once: who holds a journal reads through it.

    Raises:
        StoreInvalid: there is no store that this version can open.
        StoreInUse: this program has the shard open already.
        StoreFull: LMDB's reader table is missing and there is no room for it.
    """
    return _undisturbed(Path(root), lambda manifest: _reader(root, manifest, shard, settings))


def open_readers(
    root: str | os.PathLike[str], *, settings: StoreSettings = DEFAULTS
) -> LmdbReader | ShardedReader:
    """Open the whole store in `root` for reading, of however many shards it is.

    Takes no lock, as `open_reader`. Once the store is resharded, readers that are open go on
    to see it as it was, without its large messages: open it again.

    Raises:
        StoreInvalid: there is no store that this version can open.
        StoreInUse: this program has a shard open already.
        StoreFull: LMDB's reader table is missing and there is no room for it.
    """

    def open_all(manifest: Manifest) -> LmdbReader | ShardedReader:
        with ExitStack() as opened:
            shards = range(manifest.shards)
            readers = [
                opened.enter_context(_reader(root, manifest, shard, settings)) for shard in shards
            ]
            opened.pop_all()
        return ShardedReader(readers) if len(readers) > 1 else readers[0]

    return _undisturbed(Path(root), open_all)


def _undisturbed(root: Path, open_: Callable[[Manifest], Opened]) -> Opened:
    """Open again what was replaced by a resharding while it was opened."""
    while True:
        manifest = require_manifest(Layout(root))
        try:
            opened = open_(manifest)
        except StoreInvalid:
            if require_manifest(Layout(root)) == manifest:
                raise
            continue
        if require_manifest(Layout(root)) == manifest:
            return opened
        opened.close()


def _reader(
    root: str | os.PathLike[str], manifest: Manifest, shard: int, settings: StoreSettings
) -> LmdbReader:
    layout = manifest.layout(Path(root))
    folder = shard_folder(layout, shard, manifest.shards)
    return LmdbReader(layout, shard, settings, open_environment(folder, settings, readonly=True))


def _take_over(
    layout: Layout, shard: int, folder: Path, settings: StoreSettings, lock: WriterLock
) -> LmdbJournal:
    environment = open_environment(folder, settings, readonly=False)
    try:
        claim = read_claim(environment)
        if not sign_in(environment, claim, settings):
            # After a failed commit LMDB's picture of the file is not to be trusted.
            environment.close()
            environment = open_environment(folder, settings, readonly=False)
            claim = read_claim(environment)
        journal = LmdbJournal(layout, shard, settings, environment, lock=lock, claim=claim)
        journal.maintain()
        if not claim.obstacle:
            journal.remove_unnamed_bodies()
    except BaseException:
        environment.close()
        raise
    return journal


def open_environment(folder: Path, settings: StoreSettings, *, readonly: bool) -> Environment:
    """Open the LMDB environment of a shard.

    Raises:
        StoreInvalid: it cannot be opened.
        StoreInUse: this program has it open already.
        StoreFull: LMDB's reader table is missing and there is no room for it.
    """
    try:
        reserve_lock_file(folder)
    except OSError as exc:
        if exc.errno in NO_ROOM:
            raise StoreFull(f"no room for the reader table of {folder}") from exc
        raise StoreInvalid(f"cannot open {folder}: {exc.strerror}") from exc
    map_size = wanted_map_size(folder, settings.map_size)
    return Environment(folder, map_size, readonly=readonly)


def shard_folder(layout: Layout, shard: int, shards: int) -> Path:
    """Return the folder of a shard that must be there.

    Raises:
        StoreInvalid: there is no such shard, or its folder is gone.
    """
    if not 0 <= shard < shards:
        raise StoreInvalid(f"{layout.root} has shards 0..{shards - 1}, not {shard}")
    folder = layout.shard(shard)
    pages = data_file(folder)
    # LMDB would take an absent or empty file for a new environment.
    if not pages.is_file() or pages.stat().st_size == 0:
        raise StoreInvalid(f"{pages} is missing: restore it from a backup")
    return folder
