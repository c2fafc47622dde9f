"""Making a store so that a crash at any point leaves one that opens, or is made again."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb

from protocol.errors import StoreInvalid
from storage.bodies import FOLDER as BODIES
from storage.durable_files import (
    PRIVATE_FOLDER,
    TEMPORARY,
    make_private_folder,
    sync_folder,
    sync_tree,
)
from storage.environment import create_environment
from storage.layout import MAX_SHARDS, Layout
from storage.manifest import Manifest, load_manifest
from storage.settings import StoreSettings
from storage.space import require_free

BESIDE_A_STORE = ("published", "peers", "lost+found")
"""What may lie in a folder that becomes a store: an uploader's items, what other nodes said, a
disk's own folder."""


def ensure_store(layout: Layout, shards: int, settings: StoreSettings) -> None:
    """Create the store with `shards` shards, unless there is one.

    The manifest comes last: a folder without one holds nothing that was ever used, so
    whatever an interrupted creation left is completed or made again.

    Raises:
        StoreInvalid: the folder is something else, or cannot be written.
        StoreFull: there is no room.
    """
    try:
        layout.root.parent.mkdir(parents=True, exist_ok=True)
        make_private_folder(layout.root)
        with _alone(layout.root):
            if load_manifest(layout) is None:
                _create(layout, shards, settings)
    except OSError as exc:
        raise StoreInvalid(f"cannot create a store in {layout.root}: {exc.strerror}") from exc


def _create(layout: Layout, shards: int, settings: StoreSettings) -> None:
    if not 1 <= shards <= MAX_SHARDS:
        raise StoreInvalid(f"a store has 1 to {MAX_SHARDS} shards, not {shards}")
    require_unused(layout)
    if layout.shards_found() > shards:
        raise StoreInvalid(f"{layout.root} has shards but no manifest: restore it from a backup")
    require_free(layout.root, settings.min_free_bytes)
    for shard in range(shards):
        if not layout.shard(shard).exists():
            create_shard(layout.shard(shard), settings.map_size)
    Manifest(shards).save(layout)


def require_unused(layout: Layout) -> None:
    """Insist that a folder without a manifest holds nothing but what may become a store.

    Raises:
        StoreInvalid: it is in use for something else.
    """
    foreign = sorted(path.name for path in layout.root.iterdir() if not _ours(path.name))
    if foreign:
        raise StoreInvalid(
            f"{layout.root} is no store and not empty: it holds {foreign[0]!r}; name a new folder"
        )


def _ours(name: str) -> bool:
    return name.endswith(TEMPORARY) or name.startswith("shard-") or name in BESIDE_A_STORE


def create_shard(folder: Path, map_size: int) -> None:
    """Make an empty shard; on return it survives power loss.

    Raises:
        StoreInvalid: the database cannot be created.
        OSError: there is no room.
    """
    unfinished = folder.with_name(folder.name + TEMPORARY)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(PRIVATE_FOLDER)
    try:
        create_environment(unfinished, map_size)
    except lmdb.Error as exc:
        raise StoreInvalid(f"cannot create {folder}: {exc}") from exc
    (unfinished / BODIES).mkdir(PRIVATE_FOLDER)
    publish_folder(unfinished, folder)


def publish_folder(unfinished: Path, folder: Path) -> None:
    """Give a finished folder its name; on return it and all it holds survive power loss.

    Raises:
        OSError: it could not be made durable.
    """
    for current, _, files in os.walk(unfinished, topdown=False):
        sync_tree(Path(current), (Path(current, name) for name in files))
    unfinished.rename(folder)
    sync_folder(folder.parent)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other programs from creating in the same folder meanwhile."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
