"""A store is created completely or made again; what is no store of ours is refused."""

from __future__ import annotations

import json
import os
import stat
from itertools import count
from pathlib import Path

import pytest

from protocol.errors import NotFound, StoreFull, StoreInvalid
from storage import StoreSettings, open_reader, open_writer
from tests.storage.schedules import Schedule, random_id

STEPS = ("mkdir", "fsync", "rename", "write", "posix_fallocate")
"""What creation asks of the system, as functions of `os`."""


class PowerCutError(BaseException):
    """Nothing that the program does after it has any effect."""


def cut_power_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let the step-th request to the system, and all after it, fail like a power cut."""
    requests = count()

    def interrupted(do):
        def request(*args, **kwargs):
            if next(requests) >= step:
                raise PowerCutError
            return do(*args, **kwargs)

        return request

    for name in STEPS:
        monkeypatch.setattr(os, name, interrupted(getattr(os, name)))


@pytest.mark.guarantee("S4")
def test_creation_can_be_cut_anywhere(tmp_path: Path) -> None:
    """Wherever the power is cut while a store is created, the next start gives a good store."""
    for step in count():
        root = tmp_path / str(step)
        with pytest.MonkeyPatch.context() as patch:
            cut_power_at(patch, step)
            try:
                open_writer(root, shards=2).close()
            except PowerCutError:
                pass
            else:
                break
        schedule = Schedule()
        with open_writer(root, shards=2) as journal, open_writer(root, shard=1, shards=2) as other:
            journal.append(schedule.stored(2))
            assert other.process_count() == 0
        with open_reader(root) as reader:
            assert reader.latest(schedule.process).slot == 1
        assert leftovers(root) == []
    assert step > 15


def leftovers(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if "creating" in path.name and path.is_dir()]


def test_an_empty_folder_becomes_a_store(root: Path) -> None:
    """A folder that was made beforehand, such as a mount point, is used as it is."""
    root.mkdir()
    with open_writer(root) as journal:
        assert journal.process_count() == 0


def test_everything_in_a_store_is_private(root: Path) -> None:
    """Folders are open to their owner only."""
    large = StoreSettings(large_body=10)
    schedule = Schedule()
    with open_writer(root, settings=large) as journal:
        pin = schedule.pin()
        journal.keep_body(schedule.process, pin.body)
        folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
        assert len(folders) == 4
        for folder in folders:
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for file in (path for path in root.rglob("*") if path.is_file()):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("open_store", [open_writer, open_reader])
def test_a_newer_format_is_refused(root: Path, open_store) -> None:
    """A store of a later version is not touched, and the error names both formats."""
    open_writer(root).close()
    (root / "manifest.json").write_text('{"format": 3, "shards": "?", "new": true}')
    with pytest.raises(StoreInvalid, match="format 3; this version reads 2"):
        open_store(root)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"format": "x", "shards": 1}',
        '{"format": 1, "shards": 0}',
        '{"format": 2, "shards": 1, "folder": "../elsewhere"}',
    ],
)
def test_a_broken_manifest_is_refused(root: Path, content: str) -> None:
    """What is no manifest is never replaced by a new one."""
    open_writer(root).close()
    (root / "manifest.json").write_text(content)
    with pytest.raises(StoreInvalid, match="not the manifest"):
        open_writer(root)
    assert (root / "manifest.json").read_text() == content


def test_the_number_of_shards_is_fixed(root: Path) -> None:
    """A store keeps its number of shards; the refusal names the command that changes it."""
    open_writer(root, shards=2).close()
    assert json.loads((root / "manifest.json").read_text()) == {"format": 1, "shards": 2}
    with pytest.raises(
        StoreInvalid, match=r"has 2 shards, not 1: .*`ao-scheduler reshard --shards 1`"
    ):
        open_writer(root)
    for shard in (-1, 2):
        with pytest.raises(StoreInvalid, match=r"has shards 0\.\.1"):
            open_reader(root, shard=shard)


def test_shards_are_apart(root: Path) -> None:
    """Each shard has a writer and records of its own."""
    schedule = Schedule()
    with open_writer(root, shards=2) as zero, open_writer(root, shard=1, shards=2) as one:
        one.append(schedule.stored(1))
        with pytest.raises(NotFound):
            zero.head(schedule.process)
        assert one.head(schedule.process).stored == 0


@pytest.mark.parametrize("lost", ["shard-000", "shard-000/data.mdb"])
def test_a_lost_shard_is_not_replaced_by_an_empty_one(root: Path, lost: str) -> None:
    """A shard that was there once and is gone stops the start: its slots must not be reused."""
    open_writer(root).close()
    (root / lost).rename(root / "elsewhere")
    for open_store in (open_writer, open_reader):
        with pytest.raises(StoreInvalid, match="missing"):
            open_store(root)
    assert not (root / lost).exists()


def test_an_emptied_shard_is_not_taken_for_a_new_one(root: Path) -> None:
    """A data file that lost its content is no new store either."""
    open_writer(root).close()
    (root / "shard-000" / "data.mdb").write_bytes(b"")
    with pytest.raises(StoreInvalid, match="missing"):
        open_writer(root)


@pytest.mark.parametrize("content", [b"x" * 8192, bytes(8192)])
def test_a_file_that_lmdb_did_not_write_is_refused(root: Path, content: bytes) -> None:
    """What is not a data file is named, not mapped."""
    open_writer(root).close()
    (root / "shard-000" / "data.mdb").write_bytes(content)
    with pytest.raises(StoreInvalid, match="cannot open"):
        open_writer(root)


def test_a_lost_manifest_is_not_replaced_by_a_smaller_one(root: Path) -> None:
    """More shards than asked for are a store whose manifest was lost, not an unfinished one."""
    open_writer(root, shards=2).close()
    (root / "manifest.json").unlink()
    with pytest.raises(StoreInvalid, match="no manifest"):
        open_writer(root)


def test_reading_creates_nothing(root: Path) -> None:
    """A folder that is no store is reported, and left alone."""
    with pytest.raises(StoreInvalid, match="is not a store"):
        open_reader(root)
    assert not root.exists()


def test_no_store_is_created_without_room(root: Path) -> None:
    """Below the reserve nothing is begun."""
    with pytest.raises(StoreFull):
        open_writer(root, settings=StoreSettings(min_free_bytes=1 << 60))
    assert list(root.iterdir()) == []


def test_a_folder_of_something_else_is_left_alone(root: Path) -> None:
    """A mistyped folder does not become a store among somebody's files."""
    root.mkdir()
    (root / "letter.txt").write_text("dear")
    with pytest.raises(StoreInvalid, match=r"not empty: it holds 'letter\.txt'"):
        open_writer(root)
    assert [path.name for path in root.iterdir()] == ["letter.txt"]


def test_leftovers_are_not_in_the_way(root: Path) -> None:
    """What an interrupted creation, an uploader or a fresh disk left there may stay."""
    root.mkdir()
    for leftover in ("shard-000.creating", "published", "peers", "lost+found"):
        (root / leftover).mkdir()
    (root / "manifest.json.0badcafe.creating").write_text("{")
    with open_writer(root) as journal:
        assert journal.process_count() == 0


def test_a_file_in_the_way_is_named(root: Path) -> None:
    """What is no folder cannot become a store."""
    root.write_text("")
    with pytest.raises(StoreInvalid, match="cannot create a store"):
        open_writer(root)


def test_reading_goes_on_where_nothing_can_be_written(root: Path) -> None:
    """Opening a store for reading writes nothing that it needs."""
    schedule = Schedule()
    with open_writer(root) as journal:
        journal.append(schedule.stored(1))
    with open_reader(root) as reader:
        assert reader.head(schedule.process).stored == 0
        with pytest.raises(NotFound):
            reader.head(random_id())
