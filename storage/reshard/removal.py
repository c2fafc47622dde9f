"""Removing shards that are not in use: the old ones at the end, the new ones when giving up."""

from __future__ import annotations

import shutil
from pathlib import Path

from protocol.errors import StoreInvalid
from storage.durable_files import TEMPORARY, sync_folder
from storage.layout import Layout
from storage.manifest import Manifest, require_manifest
from storage.reshard.steps import Announce, Step
from storage.unfinished import Plan, forget_plan


def remove_old(root: Path, plan: Plan, announce: Announce) -> None:
    """Remove the shards that were replaced, and then the plan: all is done.

    Raises:
        OSError: something cannot be removed.
    """
    _require_unused(root, plan.before)
    for shard in range(plan.before.shards):
        announce(Step.REMOVING, shard, plan.before.shards)
        _remove(plan.before.layout(root).shard(shard))
    _remove_folder(root, plan.before)
    # From when the new shards were verified as a store of their own.
    inner = Layout(root / plan.after.folder)
    inner.manifest.unlink(missing_ok=True)
    for folder in (root, inner.root, *map(inner.shard, range(plan.after.shards))):
        _sweep(folder)
    sync_folder(inner.root)
    announce(Step.REMOVING, plan.before.shards, plan.before.shards)
    forget_plan(root)


def give_up(root: Path, plan: Plan) -> None:
    """Remove what was built, and then the plan: nothing was begun.

    Raises:
        OSError: something cannot be removed.
    """
    _require_unused(root, plan.after)
    discarded = root / f"{plan.after.folder}{TEMPORARY}"
    _remove(discarded)
    if built(root, plan):
        # In one step: as long as the folder has its name nothing is missing in it, and whoever
        # is killed while removing it leaves nothing that could be gone on with.
        (root / plan.after.folder).rename(discarded)
        sync_folder(root)
        _remove(discarded)
    _sweep(root)
    forget_plan(root)


def built(root: Path, plan: Plan) -> bool:
    """Tell whether the new shards are where they were built: giving up takes them away first."""
    return (root / plan.after.folder).is_dir()


def _require_unused(root: Path, manifest: Manifest) -> None:
    """Insist that the store does not have the shards that are to be removed.

    Raises:
        StoreInvalid: it has.
    """
    if require_manifest(Layout(root)) == manifest:
        raise StoreInvalid(f"{root} is in use with {manifest.shards} shards")


def _remove_folder(root: Path, manifest: Manifest) -> None:
    if manifest.folder:
        _remove(root / manifest.folder)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _sweep(folder: Path) -> None:
    """Remove files that were killed before they got their name."""
    for file in folder.glob(f"*.*{TEMPORARY}"):
        if file.is_file():
            file.unlink()
