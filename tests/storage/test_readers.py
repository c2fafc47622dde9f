"""Readers in other programs, beside a running writer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from protocol.errors import Closed
from storage import LmdbJournal, open_reader, open_writer
from tests.storage.programs import Program, run
from tests.storage.schedules import Schedule

READ = """
import sys
from protocol.ids import Id
from storage import open_reader

with open_reader(sys.argv[1]) as reader:
    print(reader.latest(Id.parse(sys.argv[2])).slot, flush=True)
    input()
    print(reader.latest(Id.parse(sys.argv[2])).slot, flush=True)
    input()
"""

WRITE = """
import sys
from storage import open_writer
from tests.storage.schedules import Schedule

schedule = Schedule()
print(schedule.process)
with open_writer(sys.argv[1]) as journal:
    journal.append(schedule.stored(3))
    print("written", flush=True)
    input()
    journal.append(schedule.stored(1))
    print("written", flush=True)
    input()
"""

DIE_READING = """
import os, sys
from storage import open_reader

reader = open_reader(sys.argv[1])
with reader.environment.gate:
    transaction = reader.environment.begin_read()
    os._exit(0)
"""


def test_another_program_reads_beside_the_writer(journal: LmdbJournal) -> None:
    """A reader sees what was committed when it asked, without a lock and without waiting."""
    schedule = Schedule()
    journal.append(schedule.stored(1))
    with Program(READ, journal.layout.root, schedule.process) as reader:
        assert reader.line() == "0"
        journal.append(schedule.stored(5))
        reader.go_on()
        assert reader.line() == "5"


def test_a_reader_sees_a_writer_go_on(root: Path) -> None:
    """The other way round: this program reads while another one writes."""
    with Program(WRITE, root) as writer:
        process = writer.line()
        assert writer.line() == "written"
        with open_reader(root) as reader:
            (known,) = reader.processes()
            assert str(known) == process
            assert reader.latest(known).slot == 2
            writer.go_on()
            assert writer.line() == "written"
            assert reader.latest(known).slot == 3


def test_readers_that_died_are_forgotten(root: Path) -> None:
    """A reader that was killed in a transaction pins old pages until the writer looks."""
    with open_writer(root) as journal:
        run(DIE_READING, root)
        assert journal.maintain() == 1
        assert journal.maintain() == 0
    run(DIE_READING, root)
    with open_writer(root) as journal:
        assert journal.maintain() == 0


def test_threads_read_until_the_store_closes(root: Path) -> None:
    """Reads of many threads end well while the store is written to, and closed under them."""
    schedule = Schedule()
    journal = open_writer(root)
    journal.append(schedule.stored(1))
    reading = threading.Barrier(5)

    def read() -> int:
        reading.wait()
        seen = 0
        try:
            while True:
                stored = journal.head(schedule.process).stored
                assert stored >= seen
                assert journal.latest(schedule.process).slot >= stored
                seen = stored
        except Closed:
            return seen

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        reading.wait()
        for _ in range(20):
            journal.append(schedule.stored(1))
        journal.close()
        assert all(0 <= reader.result() <= 20 for reader in readers)


def test_a_store_can_be_read_without_a_writer(root: Path) -> None:
    """Nobody needs to have the store open for writing."""
    schedule = Schedule()
    with open_writer(root) as journal:
        journal.append(schedule.stored(2))
    with open_reader(root) as reader:
        assert reader.latest(schedule.process).slot == 1
        assert repr(reader) == f"<LmdbReader {root} shard=0 open>"
    assert repr(reader) == f"<LmdbReader {root} shard=0 closed>"
