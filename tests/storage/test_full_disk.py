"""A full disk refuses what is new, reads what is there, and goes on by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.errors import StoreFull
from storage import Body, StoreSettings, open_reader, open_writer
from storage.space import SpaceGuard
from tests.disks import SmallDisk, StatedDisk
from tests.storage.programs import run
from tests.storage.schedules import Schedule

RESERVE = StoreSettings(min_free_bytes=1000, large_body=5000)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_space_is_counted_down_between_looks(disk: StatedDisk, tmp_path: Path) -> None:
    """The disk is asked once a second, and whenever what it said last would not suffice."""
    disk.free = 1500
    clock = Clock()
    guard = SpaceGuard(tmp_path, reserve=1000, clock=clock)
    for _ in range(5):
        guard.require(100)
    assert disk.asked == 1
    with pytest.raises(StoreFull, match="1000 bytes"):
        guard.require(501)
    assert disk.asked == 2
    disk.free = 2000
    guard.require(1000)
    assert disk.asked == 3
    disk.free = 0
    clock.now = 2.0
    with pytest.raises(StoreFull):
        guard.require(0)


def test_messages_are_refused_before_they_get_a_slot(root: Path, disk: StatedDisk) -> None:
    """Below the reserve new messages are refused with StoreFull, and let in again above it."""
    with open_writer(root, settings=RESERVE) as journal:
        journal.require_space(100)
        disk.free = 1050
        with pytest.raises(StoreFull):
            journal.require_space(1 << 41)
        journal.require_space(50)
        with pytest.raises(StoreFull):
            journal.require_space(51)
        disk.free = 5000
        journal.require_space(100)


def test_what_is_under_way_is_still_finished(root: Path, disk: StatedDisk) -> None:
    """The reserve is for what got its slot before: signatures and receipts are still stored."""
    schedule = Schedule()
    with open_writer(root, settings=RESERVE) as journal:
        disk.free = 0
        journal.append(schedule.published(2))
        assert journal.head(schedule.process).published == 1


@pytest.mark.guarantee("S9")
def test_a_store_opened_on_a_full_disk_signs_in_later(root: Path, disk: StatedDisk) -> None:
    """It opens and reads without writing, and takes ownership with its first append."""
    schedule = Schedule()
    with open_writer(root, settings=RESERVE) as journal:
        journal.append(schedule.stored(1))
    content = (root / "shard-000" / "data.mdb").read_bytes()
    disk.free = 0
    with open_writer(root, settings=RESERVE) as journal:
        assert journal.latest(schedule.process).slot == 0
        with pytest.raises(StoreFull):
            journal.require_space(1)
    assert (root / "shard-000" / "data.mdb").read_bytes() == content
    with open_writer(root, settings=RESERVE) as journal:
        disk.free = 1 << 40
        journal.require_space(1)
        journal.append(schedule.stored(1))
        journal.append(schedule.stored(1))
    with open_reader(root) as reader:
        assert reader.latest(schedule.process).slot == 2


LIMITED = """
import os, resource, sys
from protocol.errors import Fenced, StoreFull
from storage import Body, StoreSettings, open_writer
from tests.storage.schedules import Schedule, random_id

root = sys.argv[1]
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))

schedule = Schedule()
journal = open_writer(root, settings=StoreSettings(large_body=300_000))
journal.append(schedule.stored(3))
limit(os.stat(f"{root}/shard-000/data.mdb").st_size + 100_000)
acknowledged = 2
try:
    while True:
        journal.append(schedule.stored(5))
        acknowledged += 5
except Fenced:
    print("fenced")
journal.close()

limit(0)
journal = open_writer(root, settings=StoreSettings(large_body=300_000))
assert journal.latest(schedule.process).slot == acknowledged
try:
    journal.keep_body(random_id(), Body("ans104", bytes(300_000)))
except StoreFull:
    print("full")
bodies = f"{root}/shard-000/bodies"
assert not [name for folder in os.listdir(bodies) for name in os.listdir(f"{bodies}/{folder}")]

limit(most)
del schedule.pins[acknowledged + 1:]
journal.append(schedule.stored(5))
assert journal.latest(schedule.process).slot == acknowledged + 5
journal.close()
print("resumed")
"""


@pytest.mark.guarantee("S4")
def test_writes_that_fail_lose_nothing(root: Path) -> None:
    """When the system refuses to write, the store is fenced; it reopens, reads, and resumes."""
    assert run(LIMITED, root).split() == ["fenced", "full", "resumed"]


@pytest.mark.guarantee("S4")
def test_a_disk_that_is_really_full(small_disk: SmallDisk) -> None:
    """On a disk without a free block a store opens, reads and refuses; then it resumes."""
    root = small_disk.folder / "store"
    settings = StoreSettings(min_free_bytes=64 << 10)
    schedule = Schedule()
    with open_writer(root, settings=settings) as journal:
        journal.append(schedule.stored(3))
    small_disk.fill()
    with open_writer(root, settings=settings) as journal:
        assert journal.latest(schedule.process).slot == 2
        assert journal.body(schedule.process) == schedule.pins[0].body
        with pytest.raises(StoreFull):
            journal.require_space(1)
        with pytest.raises(StoreFull):
            journal.keep_body(schedule.process, Body("ans104", bytes(1_000_000)))
        small_disk.clear()
        with pytest.raises(StoreFull):
            journal.require_space(8 << 20)
        journal.require_space(1)
        journal.append(schedule.stored(1))
    with open_reader(root) as reader:
        assert reader.latest(schedule.process).slot == 3
