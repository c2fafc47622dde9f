"""Building the new shards beside the old ones: everything durable, nothing in use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from storage.durable_files import make_private_folder
from storage.map_size import keep_map_size
from storage.reshard.damage import Damaged
from storage.reshard.messages import copy_messages
from storage.reshard.records import TABLES, copy
from storage.reshard.room import require_reserve, require_room
from storage.reshard.source import Source, counted
from storage.reshard.steps import Announce, Step
from storage.reshard.target import Target
from storage.settings import StoreSettings
from storage.tables import MESSAGES, META, OWNER
from storage.tally import recorded
from storage.unfinished import Plan

SPARE_MAP_BYTES = 1 << 30
"""Address space beside twice what the old shards take, which no new one can need."""


def build(
    root: Path,
    plan: Plan,
    sources: Sequence[Source],
    settings: StoreSettings,
    announce: Announce,
) -> None:
    """Copy all records to where they belong, going on where the last attempt stopped.

    Raises:
        Damaged: something is missing, or in the wrong order.
        CorruptRecord: a record does not match its digest.
        StoreFull: there is too little room.
        OSError, lmdb.Error: the system refuses.
    """
    make_private_folder(root / plan.after.folder)
    map_size = 2 * sum(source.used_bytes for source in sources) + SPARE_MAP_BYTES
    layout = plan.after.layout(root)
    with ExitStack() as opened:
        targets = [
            opened.enter_context(Target(layout.shard(shard), map_size, settings.large_body))
            for shard in range(plan.after.shards)
        ]
        built = sum(target.used_bytes for target in targets)
        require_room(root, sources, built, settings.min_free_bytes)
        for source in sources:
            source.begin()
        _copy(root / plan.after.folder, sources, targets, settings, announce)
        _finish(sources, targets, settings)
        _require_all(sources, targets)


def _copy(
    folder: Path,
    sources: Sequence[Source],
    targets: Sequence[Target],
    settings: StoreSettings,
    announce: Announce,
) -> None:
    tables = (*TABLES, MESSAGES)
    total = sum(counted(sources, table) for table in tables)
    done = sum(target.count(table) for target in targets for table in tables)
    announce(Step.COPYING, done, total)
    for written in _copying(folder, sources, targets):
        done += written
        announce(Step.COPYING, done, max(done, total))
        require_reserve(folder, settings.min_free_bytes)


def _copying(folder: Path, sources: Sequence[Source], targets: Sequence[Target]) -> Iterator[int]:
    for table in TABLES:
        yield from copy(table, sources, targets)
    yield from copy_messages(sources, targets, folder)


def _finish(sources: Sequence[Source], targets: Sequence[Target], settings: StoreSettings) -> None:
    # Of every wallet that ever signed here: there are few, and all shards may go on to use any.
    # Shards may have met one with different algorithms first; all but the key is told elsewhere.
    keys = {
        key: record
        for source in reversed(sources)
        for key, record in source.entries(META, OWNER)
        if key.startswith(OWNER)
    }
    stopped = all(source.stopped_cleanly for source in sources)
    wanted = max(source.map_size for source in sources)
    for target in targets:
        target.finish(keys, stopped=stopped)
        if wanted > settings.map_size:
            keep_map_size(target.folder, wanted)


def _require_all(sources: Sequence[Source], targets: Sequence[Target]) -> None:
    for table in TABLES:
        before, after = counted(sources, table), sum(target.count(table) for target in targets)
        if before != after:
            raise Damaged(f"{after} of {before} {table.decode()} records were copied")
    expected = [recorded(source.snapshot) for source in sources]
    found = [target.tally() for target in targets]
    if list(map(sum, zip(*expected, strict=True))) != list(map(sum, zip(*found, strict=True))):
        raise Damaged(f"{found} was copied, {expected} was written")
