"""What a killed program may leave behind for a moment: shards that finish what they accepted."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from protocol.errors import StoreInUse
from storage.layout import Layout
from storage.lock import WriterLock, recorded_holder, recorded_parent

POLL_SECONDS = 0.05


def wait_for_orphans(root: Path, shards: int, seconds: float) -> None:
    """Return once no orphan writes to the store, or after so many seconds at the latest.

    Orphans end by themselves. A program that is watched holds its shard for good, and is not
    waited for: opening the shard says who it is.
    """
    until, pause = time.monotonic() + seconds, threading.Event()
    for shard in range(shards):
        lock = Layout(root).lock(shard)
        while _orphaned(lock) and time.monotonic() < until:
            pause.wait(POLL_SECONDS)


def _orphaned(lock: Path) -> bool:
    holder, parent = recorded_holder(lock), recorded_parent(lock)
    # Another program has taken it over: the first one of the system, or any that says so.
    if holder is None or parent is None or _parent(holder) == parent:
        return False
    # Only now, because another writer may be starting: the PID may be somebody else's since.
    try:
        WriterLock(lock).release()
    except StoreInUse:
        return True
    return False


def _parent(pid: int) -> int | None:
    try:
        # After the name, which may hold anything: state, PID of the parent, and so on.
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        # It is gone, or this system does not tell: then waiting is on the safe side.
        return None
