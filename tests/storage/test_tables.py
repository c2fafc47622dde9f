"""What lies in the tables of a durable journal, and what does not."""

from __future__ import annotations

from pathlib import Path

from storage import Batch, LmdbJournal, open_writer
from storage.tables import HEADS, INDEX, MESSAGES, META, SLOTS, TABLES, WORK
from tests.storage.schedules import Schedule, receipt


def counts(journal: LmdbJournal) -> dict[bytes, int]:
    with journal.snapshot() as snapshot:
        return {table: snapshot.count(table) for table in TABLES}


def test_a_public_key_is_kept_once(journal: LmdbJournal) -> None:
    """However many slots and processes a wallet signs, its 512 bytes are there once."""
    journal.append(Schedule().stored(3))
    before = counts(journal)[META]
    journal.append(Schedule().stored(3))
    assert counts(journal)[META] == before
    journal.append(Schedule(owners=(b"o" * 512,)).stored(1))
    assert counts(journal)[META] == before + 1


def test_a_message_is_kept_once(journal: LmdbJournal, schedule: Schedule) -> None:
    """A message that is assigned again takes another slot, but no room for itself."""
    journal.append(schedule.stored(2))
    again = schedule.pin(schedule.messages[1], body=schedule.pins[1].body)
    journal.append(Batch(pins=[again]))
    after = counts(journal)
    assert (after[SLOTS], after[MESSAGES], after[INDEX]) == (3, 2, 2)


def test_no_record_of_work_stays_behind(journal: LmdbJournal, schedule: Schedule) -> None:
    """Once everything is signed and published the table of work is empty."""
    journal.append(schedule.stored(2))
    assert counts(journal)[WORK] == 1
    journal.append(Batch(receipts=[receipt(schedule.process, slot) for slot in range(2)]))
    assert counts(journal)[WORK] == 0
    journal.append(Schedule().published(2))
    assert (counts(journal)[WORK], counts(journal)[HEADS]) == (0, 2)


def test_an_empty_batch_is_no_transaction(root: Path) -> None:
    """With nothing to write, nothing is written."""
    with open_writer(root) as journal:
        before = transactions(journal)
        journal.append(Batch())
        assert transactions(journal) == before
        journal.append(Schedule().pinned(100))
        assert transactions(journal) == before + 1


def transactions(journal: LmdbJournal) -> int:
    with journal.environment.gate, journal.environment.begin_read() as transaction:
        return transaction.id()
