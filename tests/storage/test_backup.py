"""Backups, and adopting what was moved, restored or copied."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from protocol.errors import NeedsAdoption, NotFound, StoreFull, StoreInUse, StoreInvalid
from storage import (
    Batch,
    Body,
    LmdbJournal,
    StoreSettings,
    adopt,
    backup,
    open_reader,
    open_writer,
)
from storage.records import pack_receipt
from storage.tables import slot_key
from tests.storage.programs import run
from tests.storage.raw import Raw
from tests.storage.schedules import Schedule, receipt

LARGE = StoreSettings(large_body=1000)

COPY = """
import sys
from storage import backup, open_reader
with open_reader(sys.argv[1]) as reader:
    backup(reader, sys.argv[2])
"""


@pytest.mark.guarantee("S12")
def test_a_backup_holds_everything(root: Path, tmp_path: Path) -> None:
    """Records and large messages are in the copy; it reads at once and writes once adopted."""
    copy = tmp_path / "copy"
    schedule = Schedule()
    with open_writer(root, settings=LARGE) as journal:
        large = schedule.pin(body=Body("ans104", os.urandom(4000)))
        journal.keep_body(schedule.process, large.body)
        journal.append(Batch(pins=[large], signed=[schedule.sign(large.assignment)]))
        journal.append(schedule.stored(2))
        expected = journal.page(schedule.process, 0, None)
        backup(journal, copy)
        journal.append(schedule.stored(1))
    with open_writer(copy, settings=LARGE) as restored:
        assert restored.page(schedule.process, 0, None) == expected
        assert restored.body(schedule.process) == large.body
        refuses_to_write(restored)
    assert adopt(copy) == 1
    with open_writer(copy, settings=LARGE) as restored:
        del schedule.pins[3:]
        restored.append(schedule.stored(1))
        assert restored.latest(schedule.process).slot == 3
        assert restored.body(schedule.process) == large.body


def refuses_to_write(journal: LmdbJournal) -> None:
    for write in (
        lambda: journal.require_space(0),
        lambda: journal.append(Schedule().stored(1)),
        lambda: journal.keep_body(Schedule().process, Body("ans104", bytes(2000))),
    ):
        with pytest.raises(NeedsAdoption, match="moved, restored or copied"):
            write()


def test_a_backup_is_one_moment_of_a_busy_store(root: Path, tmp_path: Path) -> None:
    """While a writer goes on, the copy holds a whole number of batches."""
    schedule = Schedule()
    with open_writer(root) as journal:
        journal.append(schedule.stored(10))
        done = threading.Event()

        def write() -> None:
            while not done.is_set():
                journal.append(schedule.stored(10))

        writer = threading.Thread(target=write)
        writer.start()
        try:
            backup(journal, tmp_path / "copy")
        finally:
            done.set()
            writer.join()
    with open_reader(tmp_path / "copy") as copy:
        head = copy.head(schedule.process)
        assert head.stored == head.pinned
        assert (head.stored + 1) % 10 == 0
        assert copy.latest(schedule.process).message_id == schedule.messages[head.stored]


def test_another_program_makes_the_backup(root: Path, tmp_path: Path) -> None:
    """A backup is taken beside a running writer, by a reader."""
    schedule = Schedule()
    with open_writer(root) as journal:
        journal.append(schedule.stored(3))
        run(COPY, root, tmp_path / "copy")
        journal.append(schedule.stored(1))
    with open_reader(tmp_path / "copy") as copy:
        assert copy.latest(schedule.process).slot == 2


def test_a_backup_has_every_shard(root: Path, tmp_path: Path) -> None:
    """Whichever shard is at hand, the whole store is copied."""
    schedules = [Schedule(), Schedule()]
    for shard, schedule in enumerate(schedules):
        with open_writer(root, shard=shard, shards=2) as journal:
            journal.append(schedule.stored(1))
    with open_reader(root, shard=1) as reader:
        backup(reader, tmp_path / "copy")
    assert adopt(tmp_path / "copy") == 2
    for shard, schedule in enumerate(schedules):
        with open_writer(tmp_path / "copy", shard=shard, shards=2) as journal:
            assert journal.latest(schedule.process).slot == 0


def test_a_backup_overwrites_nothing(journal: LmdbJournal, tmp_path: Path) -> None:
    """The destination must be new."""
    (tmp_path / "copy").mkdir()
    with pytest.raises(StoreInvalid, match="exists already"):
        backup(journal, tmp_path / "copy")


def test_a_failed_backup_leaves_nothing(
    journal: LmdbJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without room for the copy there is no half of one."""
    before = sorted(tmp_path.iterdir())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreFull, match="no room for a backup"):
        backup(journal, tmp_path / "copy")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.guarantee("S12")
def test_a_copied_store_needs_adoption(root: Path, tmp_path: Path) -> None:
    """A copy by other means is other files: it reads, and refuses to write."""
    schedule = Schedule()
    with open_writer(root) as journal:
        journal.append(schedule.stored(1))
    shutil.copytree(root, tmp_path / "copy")
    with open_writer(tmp_path / "copy") as copy:
        assert copy.latest(schedule.process).slot == 0
        refuses_to_write(copy)


@pytest.mark.guarantee("S12")
def test_a_store_on_another_machine_needs_adoption(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same files under another machine ID are a disk that was moved."""
    open_writer(root).close()
    other = tmp_path / "machine-id"
    other.write_text("another\n")
    monkeypatch.setattr("storage.ownership._MACHINE_ID", other)
    with open_writer(root) as journal:
        refuses_to_write(journal)
    assert adopt(root) == 1
    assert adopt(root) == 0
    with open_writer(root) as journal:
        journal.require_space(0)


def test_a_machine_without_an_id_goes_by_the_file(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no machine ID, a store reopens all the same, and a copy does not."""
    monkeypatch.setattr("storage.ownership._MACHINE_ID", tmp_path / "none")
    open_writer(root).close()
    with open_writer(root) as journal:
        journal.require_space(0)
    shutil.copytree(root, tmp_path / "copy")
    with open_writer(tmp_path / "copy") as copy:
        refuses_to_write(copy)


@pytest.mark.guarantee("S12")
def test_receipts_ahead_of_their_head_need_adoption(root: Path) -> None:
    """A store that was published beyond what it holds is an older state of another one."""
    schedule = Schedule()
    with open_writer(root) as journal:
        journal.append(schedule.published(2))
    ahead = receipt(schedule.process, 2)
    key = slot_key(schedule.process, 2)
    with Raw(root, "receipts") as raw:
        raw.put(key, pack_receipt(key, ahead))
    with open_writer(root) as journal:
        assert journal.latest(schedule.process).slot == 1
        with pytest.raises(NeedsAdoption, match="beyond its heads"):
            journal.require_space(0)
    assert adopt(root) == 1
    with open_writer(root) as journal:
        journal.append(schedule.stored(1))
        assert journal.receipt(schedule.process, 2) is None


@pytest.mark.guarantee("S12")
def test_slots_beyond_their_head_are_never_adopted(root: Path) -> None:
    """Records that no head accounts for may have been exposed: only a backup helps."""
    schedule = Schedule()
    with open_writer(root) as journal:
        journal.append(schedule.stored(2))
    with Raw(root, "slots") as raw:
        raw.put(slot_key(schedule.process, 2), b"anything")
    with pytest.raises(StoreInvalid, match="restore a backup"):
        adopt(root)


def test_a_store_in_use_is_not_adopted(journal: LmdbJournal) -> None:
    """Adoption needs the store for itself, and needs a store."""
    with pytest.raises(StoreInUse):
        adopt(journal.layout.root)
    with pytest.raises(StoreInvalid):
        adopt(journal.layout.root / "nothing")


def test_an_unadopted_copy_is_left_as_it_is(root: Path, tmp_path: Path) -> None:
    """Opening and closing a copy changes nothing in it, not even what looks left over."""
    schedule = Schedule()
    with open_writer(root, settings=LARGE) as journal:
        journal.keep_body(schedule.process, Body("ans104", bytes(2000)))
        backup(journal, tmp_path / "copy")
    files = {path: path.read_bytes() for path in (tmp_path / "copy").glob("shard-000/[bd]*/*/*")}
    data = (tmp_path / "copy" / "shard-000" / "data.mdb").read_bytes()
    with open_writer(tmp_path / "copy", settings=LARGE) as copy, pytest.raises(NotFound):
        copy.body(schedule.process)
    assert len(files) == 1
    assert all(path.read_bytes() == content for path, content in files.items())
    assert (tmp_path / "copy" / "shard-000" / "data.mdb").read_bytes() == data
