"""A store gets another number of shards, and keeps every record."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from protocol.errors import StoreInUse, StoreInvalid
from storage import Batch, Body, Pin, open_readers, open_writer, shard_of, stored_shards
from storage.layout import Layout
from storage.manifest import require_manifest
from storage.reshard import Outcome, Step, reshard
from storage.verify import verify_store
from tests.storage.programs import Program
from tests.storage.resharding import LARGE, content, require_whole
from tests.storage.schedules import Schedule
from tests.storage.sharded import one_of_each, writing

STALE_WRITER = """
import sys
from protocol.errors import Fenced
from storage import open_writer
from tests.storage.schedules import Schedule

with open_writer(sys.argv[1]) as journal:
    journal._lock.release()
    print("open", flush=True)
    input()
    try:
        journal.append(Schedule().stored(1))
        print("appended", flush=True)
    except Fenced as exc:
        print(exc.detail, flush=True)
    input()
"""

STALE_READER = """
import sys
from protocol.errors import Unavailable
from storage import open_readers

def look(reader):
    process = reader.processes()[0]
    pinned = reader.pinned(process, 1, 1)[0]
    try:
        found = len(reader.body(pinned.message_id).encoded) > 3000
    except Unavailable as exc:
        found = exc.detail
    print(pinned.slot, found, flush=True)

with open_readers(sys.argv[1]) as reader:
    look(reader)
    input()
    look(reader)
with open_readers(sys.argv[1]) as reader:
    look(reader)
    input()
"""


@pytest.mark.guarantee("S1", "S2", "S3", "S4", "S5")
def test_every_record_stays_byte_for_byte(store: Path) -> None:
    """From one shard to four, to two, and back to one: the same records, where they belong.

    Pinned, signed and published slots, their messages, the index, receipts, what is left to do,
    and public keys. Each time the store verifies and opens for writing without adoption.
    """
    expected = content(store)
    assert {table for table, _ in expected} >= {b"slots", b"work", b"receipts", b"bodies", b"meta"}
    for shards in (4, 2, 1):
        assert reshard(store, shards, workers=0) is Outcome.DONE
        require_whole(store, shards, expected)


@pytest.mark.usefixtures("sloppy")
def test_every_process_goes_on_where_it_was(root: Path) -> None:
    """After resharding, the next slot of each process is appended in its new shard."""
    schedules = [Schedule() for _ in range(20)]
    with writing(root, 3) as shards:
        shards.append(*(schedule.stored(2) for schedule in schedules))
    reshard(root, 2)
    with writing(root, 2) as shards:
        shards.append(*(schedule.stored(1) for schedule in schedules))
        for schedule in schedules:
            assert shards.of(schedule.process).latest(schedule.process).slot == 2
    with open_readers(root) as reader:
        assert reader.totals().stored == 60


@pytest.mark.usefixtures("sloppy")
def test_a_shard_without_a_process_is_a_whole_shard(root: Path) -> None:
    """More shards than processes, and shards that nobody ever wrote to, are no obstacle."""
    schedule = Schedule()
    with open_writer(root, shard=shard_of(schedule.process, 2), shards=2) as journal:
        journal.append(schedule.published(2))
    expected = content(root)
    for shards in (7, 2, 1):
        assert reshard(root, shards) is Outcome.DONE
        assert content(root) == expected


def test_the_number_it_has_is_nothing_to_do(store: Path) -> None:
    """Asked for the present number, nothing is touched."""
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.suffix != ".lock"}
    assert reshard(store, 1) is Outcome.NOTHING
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert stored_shards(store) == 1


@pytest.mark.parametrize("shards", [0, -1, 65])
def test_a_senseless_number_is_refused(store: Path, shards: int) -> None:
    """A store has at least one shard, and not more than anybody could want."""
    with pytest.raises(StoreInvalid, match="1 to 64 shards"):
        reshard(store, shards)


def test_what_is_no_store_is_left_alone(tmp_path: Path) -> None:
    """A mistyped folder is named, and nothing is left in it."""
    with pytest.raises(StoreInvalid, match="is not a store"):
        reshard(tmp_path, 2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.guarantee("S9")
@pytest.mark.parametrize("busy", [0, 1])
def test_a_running_writer_keeps_it_out(root: Path, busy: int) -> None:
    """While any shard is open for writing nothing is begun, and its writer goes on."""
    schedule = Schedule(one_of_each(2)[busy])
    with open_writer(root, shard=busy, shards=2) as journal:
        with pytest.raises(StoreInUse, match=f"in use by PID {os.getpid()}"):
            reshard(root, 4)
        journal.append(schedule.stored(1))
    assert stored_shards(root) == 2


@pytest.mark.guarantee("S9")
def test_a_stale_writer_is_stopped(store: Path) -> None:
    """A writer that got past its lock fails at its next commit, though nobody opened the store."""
    with Program(STALE_WRITER, store) as writer:
        assert writer.line() == "open"
        reshard(store, 2, workers=0)
        writer.go_on()
        assert writer.line() == "another writer has taken this store over"
    assert verify_store(store, workers=0).ok


def test_a_writer_that_waits_for_the_lock_finds_the_new_shards(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is resharded between looking and locking is not opened with the old number."""
    taken: list[int] = []

    class Lock:
        def __init__(self, path: Path) -> None:
            reshard(store, 2, workers=0)
            taken.append(1)

        def release(self) -> None:
            taken.append(-1)

    monkeypatch.setattr("storage.opening.WriterLock", Lock)
    with pytest.raises(StoreInvalid, match="has 2 shards, not 1"):
        open_writer(store)
    assert taken == [1, -1]


@pytest.mark.usefixtures("sloppy")
def test_a_message_of_two_processes_goes_to_both_shards(root: Path) -> None:
    """It is split into a copy for each shard that has a slot for it, and merged into one again."""
    here, there = (Schedule(process) for process in one_of_each(2))
    shared = here.process
    with open_writer(root) as journal:
        journal.append(here.stored(1))
        journal.append(there.stored(1))
        pin = there.pin(shared)
        journal.append(_pinned(pin))
    expected = content(root)
    reshard(root, 2)
    with open_readers(root) as reader:
        for one in reader.readers:
            assert one.body(shared).encoded == pin.body.encoded
    assert content(root) == expected
    reshard(root, 1)
    assert content(root) == expected


@pytest.mark.usefixtures("sloppy")
def test_one_message_may_be_a_file_here_and_a_record_there(root: Path) -> None:
    """Two shards that kept the same bytes in two ways, under different limits, can be merged."""
    here, there = (Schedule(process) for process in one_of_each(2))
    with open_writer(root, shard=0, shards=2, settings=LARGE) as journal:
        journal.append(here.stored(1))
        small = here.pin(body=_body(5000))
        journal.keep_body(small.assignment.message_id, small.body)
        journal.append(_pinned(small))
    with open_writer(root, shard=1, shards=2) as journal:
        journal.append(there.stored(1))
        journal.append(_pinned(there.pin(small.assignment.message_id, body=small.body)))
    reshard(root, 1)
    with open_readers(root) as reader:
        assert reader.body(small.assignment.message_id) == small.body


@pytest.mark.usefixtures("sloppy")
def test_one_message_with_two_contents_is_not_merged(root: Path) -> None:
    """Which of them is the message nobody can say: the store stays as it is."""
    here, there = (Schedule(process) for process in one_of_each(2))
    with writing(root, 2) as shards:
        shards.append(here.stored(1), there.stored(1))
        pin = here.pin()
        shards.append(_pinned(pin))
        shards.append(_pinned(there.pin(pin.assignment.message_id, body=_body(100))))
    with pytest.raises(StoreInvalid, match="lies in two shards with different bytes"):
        reshard(root, 1)
    with writing(root, 2) as shards:
        shards.append(there.pinned(1))


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_files_are_copied_where_they_cannot_be_linked(
    store: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a filesystem without second names, or on two of them, large messages are copied."""

    def link(*_: Path) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", link)
    expected = content(store)
    reshard(store, 2, workers=0)
    require_whole(store, 2, expected)


def test_a_linked_file_takes_no_room(store: Path) -> None:
    """A large message is the same file before and after."""
    before = {path.name: path.stat().st_ino for path in store.glob("shard-*/bodies/*/*")}
    reshard(store, 4, workers=0)
    found = {path.name: path.stat() for path in store.glob("*/shard-*/bodies/*/*")}
    assert len(before) == 10
    assert {name: stat.st_ino for name, stat in found.items()} == before
    assert {stat.st_nlink for stat in found.values()} == {1}


def test_steps_are_announced_in_order(store: Path) -> None:
    """Whoever watches learns what is done, how much of it, and how much there is."""
    heard: list[tuple[Step, int, int]] = []
    reshard(store, 2, workers=0, announce=lambda *told: heard.append(told))
    steps = [step for step, _, _ in heard]
    assert list(dict.fromkeys(steps)) == list(Step)
    assert all(0 <= done <= total for _, done, total in heard)
    for step in (Step.COPYING, Step.VERIFYING, Step.REMOVING):
        *_, last = (told for told in heard if told[0] is step)
        assert last[1] == last[2] > 0


@pytest.mark.usefixtures("sloppy")
def test_a_map_that_had_to_grow_stays_large(root: Path) -> None:
    """What the next start of an old shard would ask for, the new ones ask for, too."""
    open_writer(root, settings=LARGE).close()
    (root / "shard-000" / "map-size").write_text(f"{1 << 41}\n")
    reshard(root, 2)
    layout = require_manifest(Layout(root)).layout(root)
    sizes = {(layout.shard(shard) / "map-size").read_text() for shard in range(2)}
    assert sizes == {f"{1 << 41}\n"}


def test_a_reader_that_was_open_says_when_it_is_stale(store: Path) -> None:
    """It goes on to see the slots as they were; a large message it does not find any more."""
    with Program(STALE_READER, store) as reader:
        assert reader.line() == "1 True"
        reshard(store, 4, workers=0)
        reader.go_on()
        assert reader.line() == "1 the store was resharded or moved: open it again"
        assert reader.line() == "1 True"


def _pinned(pin: Pin) -> Batch:
    return Batch(pins=[pin])


def _body(size: int) -> Body:
    return Body("ans104", os.urandom(size))
