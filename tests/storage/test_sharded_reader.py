"""A store of several shards, read as if it were one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.errors import Closed, CorruptRecord, NotFound
from storage import (
    Batch,
    Body,
    LmdbReader,
    Pin,
    ShardedReader,
    Totals,
    open_readers,
    open_writer,
    read_all,
    shard_of,
    stored_shards,
)
from tests.storage.schedules import Schedule, random_id
from tests.storage.sharded import one_of_each, writing

SHARDS = 3


@pytest.fixture
def schedules() -> list[Schedule]:
    return [Schedule() for _ in range(40)]


@pytest.fixture
def reader(root: Path, schedules: list[Schedule]) -> Iterator[ShardedReader]:
    """Forty processes: of each, two slots are published, one is stored and one is pinned."""
    with writing(root, SHARDS) as shards:
        shards.append(*(batch for one in schedules for batch in _mixed(one)))
    with open_readers(root) as reader:
        assert isinstance(reader, ShardedReader)
        yield reader


def test_every_read_finds_the_shard_of_its_process(
    reader: ShardedReader, schedules: list[Schedule]
) -> None:
    """Each method that concerns one process answers as the process's own shard does."""
    for one in schedules:
        own = reader.readers[shard_of(one.process, SHARDS)]
        assert reader.head(one.process) == own.head(one.process)
        assert reader.latest(one.process).slot == reader.assignment(one.process, 2).slot == 2
        assert [found.slot for found in reader.page(one.process, 0, None).assignments] == [0, 1, 2]
        assert [found.slot for found in reader.pinned(one.process, 3, 9)] == [3]
        assert reader.slot_of(one.process, one.messages[3]) == 3
        assert reader.receipt(one.process, 1) == own.receipt(one.process, 1) is not None
        assert reader.body(one.messages[1]).encoded == bytes(one.messages[1]) * 20


def test_lists_are_in_key_order_over_all_shards(
    reader: ShardedReader, schedules: list[Schedule]
) -> None:
    """Processes and work come in key order and in pages, wherever they lie."""
    expected = sorted(one.process for one in schedules)
    assert list(read_all(reader)) == expected
    assert reader.processes(expected[9], limit=7) == expected[10:17]
    found = reader.work(expected[9], limit=7)
    assert [work.process for work in found] == expected[10:17]
    assert {(work.unsigned, work.unpublished) for work in found} == {(3, 2)}


def test_numbers_are_sums(reader: ShardedReader) -> None:
    """Counts are those of the whole store."""
    assert reader.process_count() == 40
    assert reader.totals() == Totals(pinned=160, stored=120, published=80)


def test_what_is_in_no_shard_is_not_found(reader: ShardedReader) -> None:
    """An unknown process or message is not found; an index entry is None."""
    for read in (reader.head, reader.latest, reader.body):
        with pytest.raises(NotFound):
            read(random_id())
    assert reader.slot_of(random_id(), random_id()) is None


def test_a_message_in_two_shards_is_served_from_the_whole_one(root: Path) -> None:
    """A message that was assigned to processes of two shards outlives damage to one of them."""
    shared, body = random_id(), Body("ans104", b"x" * 2_000_000)
    here, there = (Schedule(process) for process in one_of_each(2))
    with writing(root, 2) as shards:
        for one in (here, there):
            shards.append(one.stored(1), _signed(one, one.pin(shared, body=body)))
    with open_readers(root) as reader:
        assert reader.body(shared) == body
        _damage_body(root, 0)
        assert reader.body(shared) == body
        _damage_body(root, 1)
        with pytest.raises(CorruptRecord):
            reader.body(shared)


def test_closing_closes_every_shard(reader: ShardedReader) -> None:
    """After close nothing is read any more; closing again changes nothing."""
    reader.close()
    reader.close()
    with pytest.raises(Closed):
        reader.process_count()


def test_a_store_of_one_shard_needs_no_router(root: Path) -> None:
    """What `open_readers` returns for one shard is that shard's reader."""
    assert stored_shards(root) is None
    open_writer(root).close()
    assert stored_shards(root) == 1
    with open_readers(root) as reader:
        assert isinstance(reader, LmdbReader)


def _mixed(schedule: Schedule) -> tuple[Batch, ...]:
    return schedule.published(2), schedule.stored(1), schedule.pinned(1)


def _signed(schedule: Schedule, pin: Pin) -> Batch:
    return Batch(pins=[pin], signed=[schedule.sign(pin.assignment)])


def _damage_body(root: Path, shard: int) -> None:
    (file,) = root.glob(f"shard-{shard:03d}/bodies/*/*")
    file.write_bytes(b"y" * 2_000_000)
