"""What resharding refuses to copy, and what it does without room."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from protocol.errors import NeedsAdoption, StoreFull, StoreInvalid, Unavailable
from storage import open_reader, open_readers, open_writer, stored_shards
from storage.reshard import Outcome, Step, reshard
from storage.reshard.target import Target
from storage.tables import index_key, slot_key
from tests.disks import SmallDisk, StatedDisk
from tests.storage.resharding import LARGE, content, copy_of, leftovers, require_whole
from tests.storage.sound import Sound
from tests.storage.tamper import flip, put, remove

REFUSED = "cannot be resharded, and stays as it was"


@pytest.fixture
def sound(sound: Sound, tmp_path: Path) -> Sound:
    """A sound store that may be written to, to be damaged."""
    copy_of(sound.root, tmp_path / "adopted")
    return Sound(tmp_path / "adopted", sound.one, sound.two)


def refuses(root: Path, detail: str) -> None:
    """Check that a store is not resharded, and stays a store that is written to."""
    with pytest.raises(StoreInvalid, match=detail) as refused:
        reshard(root, 2, workers=0)
    assert REFUSED in refused.value.detail
    assert (stored_shards(root), leftovers(root)) == (1, [])
    open_writer(root, settings=LARGE).close()


@pytest.mark.guarantee("S12")
@pytest.mark.parametrize("table", ["slots", "commitments", "receipts", "heads", "index"])
def test_a_damaged_record_is_found_before_the_old_shards_go(sound: Sound, table: str) -> None:
    """One flipped bit anywhere, and the store keeps its shards; the place is named."""
    process = sound.one.process
    keys = {"heads": process, "index": index_key(process, sound.message(2))}
    flip(sound.root, table, keys.get(table, slot_key(process, 2)))
    refuses(sound.root, str(process))


@pytest.mark.guarantee("S12")
@pytest.mark.parametrize("table", ["slots", "messages"])
def test_a_record_that_belongs_nowhere_is_found(sound: Sound, table: str) -> None:
    """A key that is none, with which no record was ever written, stops it like any damage."""
    put(sound.root, table, b"short", b"x")
    with pytest.raises((StoreInvalid, NeedsAdoption)):
        reshard(sound.root, 2, workers=0)
    assert (stored_shards(sound.root), leftovers(sound.root)) == (1, [])


@pytest.mark.guarantee("S12")
def test_a_damaged_message_is_found(sound: Sound) -> None:
    """Messages are copied as they are, and read again with the slots that they belong to."""
    flip(sound.root, "messages", sound.message(1), place=40)
    refuses(sound.root, f"{sound.one.process} slot 1")


@pytest.mark.guarantee("S12")
def test_a_large_message_that_is_gone_is_found(store: Path) -> None:
    """Without the file of one message nothing is resharded."""
    file = next(store.glob("shard-000/bodies/*/*"))
    file.unlink()
    refuses(store, f"missing: {file.name}")


@pytest.mark.guarantee("S12")
def test_a_large_message_that_is_damaged_is_found(store: Path) -> None:
    """A changed byte in the file of one message, and the store keeps its shards."""
    file = next(store.glob("shard-000/bodies/*/*"))
    file.write_bytes(b"x" + file.read_bytes()[1:])
    refuses(store, "does not match its digest")


@pytest.mark.guarantee("S12")
def test_a_damaged_file_is_found_before_it_is_mapped(store: Path) -> None:
    """A tree that leads nowhere could end the program that reads it: its file is walked first."""
    data = store / "shard-000" / "data.mdb"
    pages = bytearray(data.read_bytes())
    for start in range(2 * 4096, len(pages), 4096):
        # The page's own number, and the bounds of what is in it.
        pages[start + 12 : start + 16] = b"\xff\xff\xff\xff"
    data.write_bytes(pages)
    steps: list[Step] = []
    with pytest.raises(StoreInvalid):
        reshard(store, 2, workers=0, announce=lambda step, *_: steps.append(step))
    assert set(steps) <= {Step.CHECKING}
    assert leftovers(store) == []


def test_records_beyond_the_heads_are_settled_first(sound: Sound) -> None:
    """A store whose heads were lost is not to be written to, nor to be resharded."""
    remove(sound.root, "receipts", slot_key(sound.two.process, 2))
    with pytest.raises(NeedsAdoption, match="beyond its heads"):
        reshard(sound.root, 2)
    assert stored_shards(sound.root) == 1


def test_too_little_room_is_said_before_anything_is_begun(store: Path, disk: StatedDisk) -> None:
    """How much it takes and how much there is stand in the error; the store is as it was."""
    disk.free = LARGE.min_free_bytes + 1000
    with pytest.raises(StoreFull, match="takes 1 MiB and leaves 256 MiB in reserve, but only 256"):
        reshard(store, 2)
    assert leftovers(store) == []
    disk.free = 1 << 40
    open_writer(store).close()


def test_files_that_cannot_be_linked_need_room_too(
    store: Path, disk: StatedDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where large messages must be copied, they are counted."""
    heavy = next(store.glob("shard-000/bodies/*/*"))
    with heavy.open("ab") as file:
        file.truncate(50 << 20)
    disk.free = LARGE.min_free_bytes + (20 << 20)
    monkeypatch.setattr("storage.reshard.room.linkable", lambda *_: False)
    with pytest.raises(StoreFull, match="takes 51 MiB"):
        reshard(store, 2)


@pytest.mark.usefixtures("small_batches")
def test_the_reserve_is_kept_while_copying(store: Path, disk: StatedDisk) -> None:
    """When others fill the disk meanwhile, copying stops; with room again it goes on."""
    expected = content(store)

    def fill(step: Step, done: int, _: int) -> None:
        if step is Step.COPYING and done > 40:
            disk.free = 0

    with pytest.raises(StoreFull, match="make room, then go on"):
        reshard(store, 2, workers=0, announce=fill)
    assert "resharding.json" in leftovers(store)
    disk.free = 1 << 40
    assert reshard(store, 2, workers=0) is Outcome.DONE
    require_whole(store, 2, expected)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("moment", [0, 20, 60])
def test_a_disk_that_is_really_full_stops_it(
    many: Path, small_disk: SmallDisk, moment: int
) -> None:
    """Not a block is free in the middle of copying: it says so, and later goes on or gives up."""
    settings = replace(LARGE, min_free_bytes=0)
    store = copy_of(many, small_disk.folder / "store")
    expected = content(store)

    def fill(step: Step, done: int, _: int) -> None:
        if step is Step.COPYING and done >= moment and not (small_disk.folder / "ballast").exists():
            small_disk.fill()

    with pytest.raises(StoreFull, match="make room, then go on"):
        reshard(store, 3, workers=0, announce=fill, settings=settings)
    with open_reader(store) as reader:
        assert reader.process_count() == 10
    small_disk.clear()
    assert reshard(store, 3, workers=0, settings=settings) is Outcome.DONE
    assert content(store) == expected


def test_an_error_of_the_disk_is_not_taken_for_success(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that fails ends it; the next attempt opens the new shards again and goes on."""
    expected = content(store)

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Target, "append", fail)
        with pytest.raises(Unavailable, match="Input/output error"):
            reshard(store, 2)
    assert reshard(store, 2, workers=0) is Outcome.DONE
    require_whole(store, 2, expected)
    with open_readers(store) as reader:
        assert reader.process_count() == 10
