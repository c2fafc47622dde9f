"""A flipped bit on disk is found by its digest, with the process and slot it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from protocol.errors import CorruptRecord, Fenced
from protocol.ids import Id
from storage import Batch, Body, LmdbReader, StoreSettings, Work, open_reader, open_writer
from storage.tables import index_key, owner_key, slot_key
from tests.storage.raw import Raw
from tests.storage.schedules import SIGNER, Schedule, receipt

SLOT = 1
LARGE = StoreSettings(large_body=1000)


@pytest.fixture
def schedule(root: Path) -> Schedule:
    """A process with a few slots, in a store that is closed."""
    schedule = Schedule()
    with open_writer(root) as journal:
        journal.append(schedule.published(2))
        journal.append(schedule.stored(2))
    return schedule


Look = Callable[[LmdbReader, Schedule], object]
READS: dict[str, tuple[str, Callable[[Schedule], bytes], Look]] = {
    "assignment": (
        "slots",
        lambda schedule: slot_key(schedule.process, SLOT),
        lambda reader, schedule: reader.assignment(schedule.process, SLOT),
    ),
    "page": (
        "slots",
        lambda schedule: slot_key(schedule.process, SLOT),
        lambda reader, schedule: reader.page(schedule.process, 0, None),
    ),
    "pinned": (
        "slots",
        lambda schedule: slot_key(schedule.process, SLOT),
        lambda reader, schedule: reader.pinned(schedule.process, 0, 3),
    ),
    "signature": (
        "commitments",
        lambda schedule: slot_key(schedule.process, SLOT),
        lambda reader, schedule: reader.page(schedule.process, SLOT, SLOT),
    ),
    "receipt": (
        "receipts",
        lambda schedule: slot_key(schedule.process, SLOT),
        lambda reader, schedule: reader.receipt(schedule.process, SLOT),
    ),
    "head": (
        "heads",
        lambda schedule: schedule.process,
        lambda reader, schedule: reader.head(schedule.process),
    ),
    "index": (
        "index",
        lambda schedule: index_key(schedule.process, schedule.messages[SLOT]),
        lambda reader, schedule: reader.slot_of(schedule.process, schedule.messages[SLOT]),
    ),
    "message": (
        "messages",
        lambda schedule: schedule.messages[SLOT],
        lambda reader, schedule: reader.body(schedule.messages[SLOT]),
    ),
    "public key": (
        "meta",
        lambda _: owner_key(SIGNER),
        lambda reader, schedule: reader.latest(schedule.process),
    ),
}
PLACES = {"slots": SLOT, "commitments": SLOT, "receipts": SLOT, "heads": None, "index": None}
"""Tables whose keys name a process, and the slot that the error then names."""


@pytest.mark.guarantee("S12")
@pytest.mark.parametrize("offset", [0, 16, -1])
@pytest.mark.parametrize(("table", "key_of", "read"), READS.values(), ids=READS)
def test_a_flipped_bit_is_noticed(root: Path, schedule: Schedule, table, key_of, read, offset):
    """Wherever a bit of a record flips, reading it names the process and slot, not a value."""
    flip(root, table, key_of(schedule), offset)
    with open_reader(root) as reader, pytest.raises(CorruptRecord, match=table) as caught:
        read(reader, schedule)
    if table in PLACES:
        assert (caught.value.process, caught.value.slot) == (schedule.process, PLACES[table])
        assert str(schedule.process) in str(caught.value)


@pytest.mark.guarantee("S12")
def test_a_moved_record_is_noticed(root: Path, schedule: Schedule) -> None:
    """A good record under another key is as bad as a broken one."""
    with Raw(root, "slots") as raw:
        raw.put(slot_key(schedule.process, 2), raw.get(slot_key(schedule.process, 1)))
    with open_reader(root) as reader, pytest.raises(CorruptRecord, match="slot 2"):
        reader.page(schedule.process, 0, None)


@pytest.mark.guarantee("S12")
@pytest.mark.parametrize("table", ["slots", "commitments"])
def test_a_lost_record_is_noticed(root: Path, schedule: Schedule, table: str) -> None:
    """A hole in the stored prefix is reported with its slot."""
    with Raw(root, table) as raw:
        raw.delete(slot_key(schedule.process, 2))
    with open_reader(root) as reader:
        assert reader.assignment(schedule.process, 1).slot == 1
        with pytest.raises(CorruptRecord, match=f"{table} record .* slot 2 is missing"):
            reader.page(schedule.process, 0, None)
        with pytest.raises(CorruptRecord, match="slot 2 is missing"):
            reader.assignment(schedule.process, 2)


@pytest.mark.guarantee("S12")
@pytest.mark.parametrize("table", ["heads", "slots"])
def test_nothing_is_signed_over_a_damaged_record(root: Path, table: str) -> None:
    """A batch that would build on a damaged record is fenced."""
    schedule = Schedule()
    with open_writer(root) as journal:
        journal.append(schedule.stored(1))
        pin = schedule.pin()
        journal.append(Batch(pins=[pin]))
    key = schedule.process if table == "heads" else slot_key(schedule.process, 1)
    flip(root, table, key, -1)
    with open_writer(root) as journal, pytest.raises(Fenced):
        journal.append(Batch(signed=[schedule.sign(pin.assignment)]))


@pytest.mark.guarantee("S12")
def test_damaged_work_is_worked_out_again(root: Path, schedule: Schedule) -> None:
    """A damaged record of work hides nothing: the head knows, and a damaged head means all."""
    other = Schedule()
    with open_writer(root) as journal:
        journal.append(other.stored(1))
    flip(root, "work", schedule.process, -1)
    expected = [Work(schedule.process, None, 2), Work(other.process, None, 0)]
    expected.sort(key=lambda work: work.process)
    with open_reader(root) as reader:
        assert reader.work() == expected
    flip(root, "heads", schedule.process, -1)
    with open_reader(root) as reader:
        assert Work(schedule.process, 0, 0) in reader.work()


@pytest.mark.guarantee("S12")
@pytest.mark.parametrize("damage", ["flip", "remove"])
def test_a_damaged_file_of_a_large_message_is_noticed(root: Path, damage: str) -> None:
    """A large message is checked against the digest in its file's name."""
    schedule = Schedule()
    with open_writer(root, settings=LARGE) as journal:
        pin = schedule.pin(body=Body("ans104", b"x" * 2000))
        journal.keep_body(schedule.process, pin.body)
        journal.append(Batch(pins=[pin]))
        (file,) = (root / "shard-000" / "bodies").glob("*/*")
        if damage == "flip":
            file.write_bytes(b"x" * 1999 + b"y")
        else:
            file.unlink()
        with pytest.raises(CorruptRecord, match=str(schedule.process)):
            journal.body(schedule.process)


@pytest.mark.guarantee("S12")
def test_a_damaged_ownership_stops_the_writer(root: Path, schedule: Schedule) -> None:
    """Who wrote last cannot be told any more: the store is not opened for writing."""
    flip(root, "meta", b"ownership", -1)
    with pytest.raises(CorruptRecord):
        open_writer(root)
    with open_reader(root) as reader:
        assert reader.latest(schedule.process).slot == 3


def test_receipts_are_checked_one_by_one(root: Path, schedule: Schedule) -> None:
    """Damage to one record leaves the others readable."""
    flip(root, "receipts", slot_key(schedule.process, 0), -1)
    with open_writer(root) as journal:
        assert journal.receipt(schedule.process, 1).slot == 1
        journal.append(Batch(receipts=[receipt(schedule.process, 2)]))


def flip(root: Path, table: str, key: bytes, offset: int) -> None:
    """Flip one bit of a record where it lies in the data file."""
    with Raw(root, table) as raw:
        record = raw.get(key)
    file = root / "shard-000" / "data.mdb"
    content = file.read_bytes()
    place = offset % len(record)
    flipped = record[:place] + bytes([record[place] ^ 1]) + record[place + 1 :]
    assert record in content
    file.write_bytes(content.replace(record, flipped))


def test_identifiers_are_read_back_as_such(root: Path, schedule: Schedule) -> None:
    """Raw bytes on disk become IDs again, so that they print and compare as IDs."""
    with open_reader(root) as reader:
        (process,) = reader.processes()
        assert process == schedule.process
        latest = reader.latest(process)
        kept = reader.receipt(process, 1)
    assert kept is not None
    identifiers = [process, latest.process, latest.message_id, latest.commitments[0].committer]
    assert {type(identifier) for identifier in [*identifiers, kept.items[0][0]]} == {Id}
