"""What a killed node may leave behind for a moment: shards that finish what they accepted."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from protocol.errors import StoreInUse
from storage.layout import Layout
from storage.lock import WriterLock

POLL_SECONDS = 0.05


def wait_for_orphans(root: Path, shards: int, seconds: float) -> None:
    """Return once nobody writes to the store, or after so many seconds at the latest.

    For who holds what only a whole node holds: then those that write are orphans, which end by
    themselves, or a program that embeds the store, whose shards will say so.
    """
    until, pause = time.monotonic() + seconds, threading.Event()
    for shard in range(shards):
        while not _free(Layout(root).lock(shard)) and time.monotonic() < until:
            pause.wait(POLL_SECONDS)


def _free(lock: Path) -> bool:
    try:
        WriterLock(lock).release()
    except StoreInUse:
        return False
    return True
