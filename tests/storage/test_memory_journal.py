"""The faults of the journal in memory."""

from __future__ import annotations

import pytest

from protocol.errors import CorruptRecord, Fenced, StoreFull
from storage import Batch, MemoryJournal
from tests.storage.schedules import Schedule


@pytest.mark.parametrize("applied", [True, False])
def test_a_lost_answer_fences(schedule: Schedule, applied: bool) -> None:
    """Both ways the append raises Fenced; only reopening tells whether the batch landed."""
    journal = MemoryJournal()
    journal.append(schedule.stored(1))
    journal.fail_next("append", applied=applied)
    with pytest.raises(Fenced, match="outcome unknown"):
        journal.append(schedule.stored(1))
    with pytest.raises(Fenced):
        journal.head(schedule.process)
    assert journal.reopen().head(schedule.process).stored == int(applied)


def test_a_fault_happens_once(schedule: Schedule) -> None:
    """After reopening everything works again."""
    journal = MemoryJournal()
    journal.fail_next("append", applied=False)
    with pytest.raises(Fenced):
        journal.append(schedule.stored(1))
    schedule.pins.clear()
    journal.reopen().append(schedule.stored(1))


def test_an_empty_batch_has_no_outcome_to_lose(schedule: Schedule) -> None:
    """A fault waits for the next batch that writes something."""
    journal = MemoryJournal()
    journal.fail_next("append", applied=True)
    journal.append(Batch())
    with pytest.raises(Fenced):
        journal.append(schedule.stored(1))


def test_a_killed_journal_refuses(schedule: Schedule) -> None:
    """Whoever still holds the journal before the kill cannot write any more."""
    journal = MemoryJournal()
    journal.append(schedule.stored(1))
    heir = journal.reopen()
    with pytest.raises(Fenced, match="killed"):
        journal.append(schedule.stored(1))
    assert heir.head(schedule.process).stored == 0


def test_a_full_disk_refuses_new_messages() -> None:
    """While the disk is full there is no space for a message."""
    journal = MemoryJournal()
    journal.disk.full = True
    with pytest.raises(StoreFull):
        journal.require_space(0)
    journal.disk.full = False
    journal.require_space(0)


@pytest.mark.parametrize("slot", [None, 1])
def test_damage_is_reported_with_its_place(schedule: Schedule, slot: int | None) -> None:
    """A damaged place raises CorruptRecord with process and slot, like the durable journal."""
    journal = MemoryJournal()
    journal.append(schedule.stored(3))
    journal.disk.damaged.add((schedule.process, slot))
    for read in (
        lambda: journal.page(schedule.process, 0, None),
        lambda: journal.pinned(schedule.process, 0, 2),
    ):
        with pytest.raises(CorruptRecord) as caught:
            read()
        assert (caught.value.process, caught.value.slot) == (schedule.process, slot)


def test_only_appends_can_lose_their_outcome() -> None:
    """A misspelt operation is a mistake in the test that asks for it."""
    with pytest.raises(ValueError, match="no outcome"):
        MemoryJournal().fail_next("head", applied=True)
