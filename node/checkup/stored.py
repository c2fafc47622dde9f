"""The store: whether it can be opened, and who writes to it."""

from __future__ import annotations

from actors import SchedulingMode
from node.checkup.check import NotWell
from node.config import Config
from node.standing import Standing, standing
from storage import open_readers
from storage.creation import require_unused
from storage.layout import Layout
from storage.unfinished import layout_for_writing


def store(config: Config) -> str:
    """Say what the store holds."""
    found = look(config)
    folder = config.store.data
    if found is None:
        return f"{folder} holds no store yet: serve creates one"
    if found.obstacle:
        raise NotWell(f"{folder}: {found.obstacle}")
    if config.store.shards is not None and config.scheduling.mode is not SchedulingMode.DISABLED:
        layout_for_writing(folder, config.store.shards or 1)
    shards = f" in {len(found.shards)} shards" if len(found.shards) > 1 else ""
    writer = f"PID {found.writer} writes" if found.writer else "nobody writes"
    unfinished = f", {len(found.unfinished)} unfinished: see status" if found.unfinished else ""
    return f"{folder}: {found.processes} processes{shards}, {writer}{unfinished}"


def look(config: Config) -> Standing | None:
    """Return where the store stands; None when there is none yet.

    Raises:
        StoreInvalid, CorruptRecord: it cannot be opened, or the folder is something else.
    """
    folder = config.store.data
    layout = Layout(folder)
    if not layout.manifest.exists():
        if folder.is_dir():
            require_unused(layout)
        return None
    with open_readers(folder) as reader:
        return standing(reader, None)
