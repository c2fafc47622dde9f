"""A consistent copy of a store, made while it is in use."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

import lmdb

from protocol.errors import StoreFull, StoreInvalid, Unavailable
from storage.bodies import NO_ROOM
from storage.creation import publish_folder
from storage.durable_files import PRIVATE_FOLDER, TEMPORARY
from storage.environment import reserve_lock_file
from storage.layout import Layout
from storage.manifest import Manifest, require_manifest
from storage.opening import open_reader
from storage.reader import LmdbReader
from storage.sharded_reader import ShardedReader


def backup(source: LmdbReader | ShardedReader, destination: str | os.PathLike[str]) -> None:
    """Copy the whole store that `source` reads to the new folder `destination`.

    Each shard is copied as of one moment, large messages included; a writer goes on
    meanwhile. The copy opens read-only until it is adopted. What an uploader published is
    not part of it.

    Args:
        source: a reader or a journal of any shard of the store, or of all.
        destination: must not exist; on return it survives power loss.

    Raises:
        StoreInvalid: `destination` exists.
        StoreFull: there is no room; nothing is left behind.
        Unavailable: it cannot be written, or the store was resharded since `source` was
            opened; nothing is left behind.
    """
    target = Path(destination)
    if os.path.lexists(target):
        raise StoreInvalid(f"{target} exists already")
    unfinished = target.with_name(f"{target.name}.{secrets.token_hex(4)}{TEMPORARY}")
    try:
        _copy_store(source.readers, Layout(unfinished))
        publish_folder(unfinished, target)
    except (OSError, lmdb.Error) as exc:
        raise _unwritable(target, exc) from exc
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _copy_store(sources: Sequence[LmdbReader], copy: Layout) -> None:
    layout = sources[0].layout
    opened = {source.shard: source for source in sources}
    manifest = require_manifest(layout)
    copy.root.mkdir(PRIVATE_FOLDER, parents=True)
    for shard in range(manifest.shards):
        folder = copy.shard(shard)
        folder.mkdir(PRIVATE_FOLDER)
        if shard in opened:
            opened[shard].copy_into(folder)
        else:
            with open_reader(layout.root, shard=shard) as other:
                other.copy_into(folder)
        # With real blocks from the start: the copy may be opened on a full disk.
        reserve_lock_file(folder)
    # The folders of shards that were replaced go, and with them what had yet to be copied.
    if require_manifest(layout).layout(layout.root) != layout:
        raise Unavailable(f"{layout.root} was resharded meanwhile: open it again")
    Manifest(manifest.shards).save(copy)


def _unwritable(target: Path, error: OSError | lmdb.Error) -> Unavailable:
    code = error.errno if isinstance(error, OSError) else error.code
    if code in NO_ROOM:
        return StoreFull(f"no room for a backup in {target}")
    return Unavailable(f"cannot write {target}: {error}")
