"""One writer per store: a second one is refused, and one that got past the lock is stopped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from protocol.errors import Fenced, StoreInUse
from storage import LmdbJournal, open_reader, open_writer
from tests.storage.programs import Program, run
from tests.storage.schedules import Schedule

HOLD = """
import sys
from storage import open_writer
journal = open_writer(sys.argv[1])
print("open", flush=True)
input()
journal.close()
print("closed", flush=True)
input()
"""

TAKE_OVER_WITHOUT_LOCK = """
import sys
import storage.lock, storage.opening
class NoLock(storage.lock.WriterLock):
    def _take(self, path):
        pass
storage.opening.WriterLock = NoLock
storage.opening.open_writer(sys.argv[1])
print("open", flush=True)
input()
"""


@pytest.mark.guarantee("S9")
def test_a_second_program_is_refused_by_name(root: Path) -> None:
    """While one program writes, another is told its PID; once it closed, the store is free."""
    with Program(HOLD, root) as holder:
        assert holder.line() == "open"
        with pytest.raises(StoreInUse, match=f"in use by PID {holder.pid}$"):
            open_writer(root)
        holder.go_on()
        assert holder.line() == "closed"
        with open_writer(root) as journal:
            assert journal.stopped_cleanly


@pytest.mark.guarantee("S9")
def test_a_killed_writer_frees_the_store(root: Path) -> None:
    """The lock dies with its holder, and the next one is told that the stop was not clean."""
    with Program(HOLD, root) as holder:
        assert holder.line() == "open"
        holder.kill()
        with open_writer(root) as journal:
            assert not journal.stopped_cleanly


def test_a_second_journal_in_the_same_program_is_refused(journal: LmdbJournal) -> None:
    """One program cannot open a store for writing twice either."""
    root = journal.layout.root
    with pytest.raises(StoreInUse, match=f"in use by PID {os.getpid()}$"):
        open_writer(root)


def test_a_reader_beside_the_own_journal_is_refused(journal: LmdbJournal) -> None:
    """LMDB must not be opened twice in one program: the journal is the reader there."""
    with pytest.raises(StoreInUse, match="in this program"):
        open_reader(journal.layout.root)


@pytest.mark.guarantee("S9")
def test_a_writer_that_lost_the_store_is_fenced(root: Path) -> None:
    """When another writer got past the lock, the one before it cannot commit any more."""
    schedule = Schedule()
    with open_writer(root) as stale:
        stale.append(schedule.stored(1))
        with Program(TAKE_OVER_WITHOUT_LOCK, root) as thief:
            assert thief.line() == "open"
            with pytest.raises(Fenced, match="taken this store over"):
                stale.append(schedule.stored(1))
    with open_writer(root) as journal:
        assert journal.head(schedule.process).pinned == 0


@pytest.mark.guarantee("S9")
def test_a_lost_store_is_not_marked_as_stopped(root: Path) -> None:
    """A writer that lost the store leaves the ownership of the new one alone when it closes."""
    stale = open_writer(root)
    with Program(TAKE_OVER_WITHOUT_LOCK, root) as thief:
        assert thief.line() == "open"
        stale.close()
    with open_writer(root) as journal:
        assert not journal.stopped_cleanly


FORK = """
import os, sys
from protocol.errors import Closed
from protocol.ids import Id
from storage import Batch, open_writer
from storage.lock import WriterLock

def complaint(use):
    try:
        use()
    except Closed as error:
        return str(error)

journal = open_writer(sys.argv[1])
from_child, to_parent = os.pipe()
until_parent_ends, held_by_parent = os.pipe()
if os.fork() == 0:
    os.close(held_by_parent)
    uses = (lambda: journal.head(Id(bytes(32))), lambda: journal.append(Batch()))
    complaints = {complaint(use) for use in uses}
    journal.close()
    os.write(to_parent, "/".join(complaints).encode())
    os.read(until_parent_ends, 1)
    os._exit(0)
print(os.read(from_child, 4096).decode().replace(str(os.getpid()), "PARENT"))
journal.append(Batch())
print(journal.process_count())
journal.close()
# The child is still there, but holds nothing of the lock.
WriterLock(journal.layout.lock(0)).release()
print("free")
"""


@pytest.mark.guarantee("S9")
def test_a_forked_child_is_refused(root: Path) -> None:
    """A child cannot use its parent's store, closing it there harms nothing, the lock is gone."""
    lines = run(FORK, root).splitlines()
    assert lines == [
        "this store was opened by process PARENT; a forked child cannot use it",
        "0",
        "free",
    ]
