"""Who has a store is waited for, if nobody watches it any more."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from actors.shards.orphans import wait_for_orphans
from storage.layout import Layout
from storage.lock import WriterLock
from tests.actors.outside import PATIENCE
from tests.sources import ROOT

HOLDER = """
import signal, sys
from pathlib import Path
from storage.lock import WriterLock

held = WriterLock(Path(sys.argv[1]))
print("held", flush=True)
signal.pause()
"""

STARTER = """
import subprocess, sys

holder = subprocess.Popen([sys.executable, *sys.argv[1:]], stdout=subprocess.PIPE)
assert holder.stdout.readline()
holder.returncode = 0
"""

HEIR = """
import ctypes, os, signal, subprocess, sys
from pathlib import Path
from actors.shards import orphans
from storage.layout import Layout
from storage.lock import WriterLock, recorded_holder

PR_SET_CHILD_SUBREAPER = 36
holder, starter, root = sys.argv[1:]
lock = Layout(Path(root)).lock(0)
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
subprocess.run([sys.executable, "-c", starter, "-c", holder, lock], check=True)
orphan = recorded_holder(lock)
looks = []

class Look(WriterLock):
    def __init__(self, path):
        looks.append(path)
        if len(looks) == 3:
            end(orphan)
        super().__init__(path)

def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

orphans.WriterLock = Look
orphans.wait_for_orphans(Path(root), 1, float("inf"))
if len(looks) < 3:
    end(orphan)
print(len(looks))
"""


def test_orphans_are_known_whoever_takes_them_over(tmp_path: Path) -> None:
    """Not only the first program of a system inherits those whose parent was killed."""
    told = subprocess.run(
        [sys.executable, "-c", HEIR, HOLDER, STARTER, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["3"]


def test_who_is_watched_is_not_waited_for(tmp_path: Path) -> None:
    """A program whose parent lives holds the store for good."""
    lock = Layout(tmp_path).lock(0)
    command = [sys.executable, "-c", HOLDER, str(lock)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            waiting = threading.Thread(target=wait_for_orphans, args=(tmp_path, 1, 4 * PATIENCE))
            waiting.start()
            waiting.join(PATIENCE)
            assert not waiting.is_alive()
        finally:
            holder.kill()


def test_nobody_is_waited_for_where_the_store_is_free(tmp_path: Path) -> None:
    """The look leaves the lock to whoever comes next."""
    wait_for_orphans(tmp_path, 1, PATIENCE)
    WriterLock(Layout(tmp_path).lock(0)).release()
