"""Making a moved, restored or copied store writable on this machine: an operator's decision."""

from __future__ import annotations

import os
from pathlib import Path

import lmdb

from protocol.errors import StoreFull, StoreInvalid
from protocol.ids import Id
from storage.claim import read_claim
from storage.environment import Environment
from storage.layout import Layout
from storage.lock import WriterLock
from storage.manifest import require_manifest
from storage.opening import DEFAULTS, open_environment, shard_folder
from storage.records import unpack_head
from storage.settings import StoreSettings
from storage.snapshot import Snapshot
from storage.tables import HEADS, META, OWNERSHIP, RECEIPTS, TALLY, Tables, slot_key
from storage.tally import Tally, counted


def adopt(root: str | os.PathLike[str], *, settings: StoreSettings = DEFAULTS) -> int:
    """Let this machine write to the store in `root` from now on.

    Only the operator can know that no other copy of the store is, or ever was, scheduling
    beyond this one: two that do give the same slots to different messages.

    Receipts beyond the heads are dropped: they speak of slots this store does not hold.

    Returns:
        How many shards needed it.

    Raises:
        StoreInUse: a program has the store open for writing.
        StoreInvalid: it is no store, or its records do not fit its heads.
        StoreFull: there is no room to write it down.
    """
    manifest = require_manifest(Layout(Path(root)))
    layout = manifest.layout(Path(root))
    shards = range(manifest.shards)
    return sum(_adopt_shard(layout, shard, len(shards), settings) for shard in shards)


def _adopt_shard(layout: Layout, shard: int, shards: int, settings: StoreSettings) -> bool:
    folder = shard_folder(layout, shard, shards)
    lock = WriterLock(layout.lock(shard))
    try:
        environment = open_environment(folder, settings, readonly=False)
        try:
            return _adopt(environment)
        finally:
            environment.close()
    finally:
        lock.release()


def _adopt(environment: Environment) -> bool:
    claim = read_claim(environment)
    if not claim.obstacle:
        return False
    try:
        with environment.gate, environment.begin_write() as transaction:
            meta = environment.tables[META]
            transaction.put(TALLY, _settle(transaction, environment.tables).pack(), db=meta)
            stopped = claim.own._replace(stopped=True)
            transaction.put(OWNERSHIP, stopped.pack(), db=meta)
    except lmdb.Error as exc:
        raise StoreFull(f"cannot write to {environment.folder}: {exc}") from exc
    return True


def _settle(transaction: lmdb.Transaction[bytes], tables: Tables) -> Tally:
    """Drop receipts beyond the heads, and count what the heads account for.

    Raises:
        StoreInvalid: the tables hold more or less than that.
    """
    pins = signed = receipts = 0
    for process, record in transaction.cursor(tables[HEADS]):
        head = unpack_head(Id(process), record)
        pins += head.pinned + 1
        signed += head.stored + 1
        receipts += head.published + 1
        _drop_beyond(transaction, tables, head.process, head.published)
    tally = Tally(pins, signed, receipts)
    if counted(Snapshot(transaction, tables, {})) != tally:
        raise StoreInvalid("the store holds more or less than its heads say: restore a backup")
    return tally


def _drop_beyond(
    transaction: lmdb.Transaction[bytes], tables: Tables, process: Id, published: int
) -> None:
    with transaction.cursor(tables[RECEIPTS]) as cursor:
        found = cursor.set_range(slot_key(process, published + 1))
        while found and cursor.key().startswith(process):
            found = cursor.delete()
