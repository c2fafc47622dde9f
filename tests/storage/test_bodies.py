"""Large messages as files."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from protocol.errors import Fenced, StoreFull, Unavailable
from storage import Batch, Body, LmdbJournal, StoreSettings, open_writer
from tests.storage.schedules import Schedule, random_id

LARGE = StoreSettings(large_body=1000)
BODY = Body("ans104", os.urandom(1000))
SMALL = Body("ans104", os.urandom(999))


def files(root: Path) -> list[Path]:
    return sorted((root / "shard-000" / "bodies").glob("*/*"))


def keep(journal: LmdbJournal, schedule: Schedule, body: Body = BODY) -> Batch:
    pin = schedule.pin(body=body)
    journal.keep_body(pin.assignment.message_id, body)
    return Batch(pins=[pin])


def test_only_large_messages_are_files(root: Path) -> None:
    """From its limit on a message is a file named by its ID, below it is part of its record."""
    schedule = Schedule()
    with open_writer(root, settings=LARGE) as journal:
        journal.append(keep(journal, schedule, SMALL))
        assert files(root) == []
        journal.append(keep(journal, schedule))
        (file,) = files(root)
        message_id = str(schedule.messages[1])
        assert file.name.startswith(f"{message_id}.")
        assert file.parent.name == message_id[:2]
        assert file.read_bytes() == BODY.encoded
        assert journal.body(schedule.messages[1]) == BODY


def test_keeping_twice_is_fine(root: Path) -> None:
    """The same large message, sent again, is the same file."""
    schedule = Schedule()
    with open_writer(root, settings=LARGE) as journal:
        batch = keep(journal, schedule)
        journal.keep_body(schedule.process, BODY)
        journal.append(batch)
        journal.keep_body(schedule.process, BODY)
        assert len(files(root)) == 1
        assert journal.same_body(schedule.process, BODY)
        assert not journal.same_body(schedule.process, Body("ans104", BODY.encoded + b"x"))


def test_other_bytes_under_a_known_id_are_fenced(root: Path) -> None:
    """A large message cannot replace another one with the same ID."""
    schedule, message_id = Schedule(), random_id()
    other = Body("ans104", os.urandom(2000))
    with open_writer(root, settings=LARGE) as journal:
        journal.append(Batch(pins=[schedule.pin()]))
        for body in (BODY, other):
            journal.keep_body(message_id, body)
        journal.append(Batch(pins=[schedule.pin(message_id, body=BODY)]))
        with pytest.raises(Fenced, match="other bytes"):
            journal.append(Batch(pins=[schedule.pin(message_id, body=other)]))
    with open_writer(root, settings=LARGE) as journal:
        assert journal.body(message_id) == BODY


def test_a_pin_without_its_file_is_fenced(root: Path) -> None:
    """A record never names a file that is not there."""
    schedule = Schedule()
    with (
        open_writer(root, settings=LARGE) as journal,
        pytest.raises(Fenced, match="was not kept"),
    ):
        journal.append(Batch(pins=[schedule.pin(body=BODY)]))


def test_what_no_record_names_is_removed_at_the_next_start(root: Path) -> None:
    """Files whose message never got a slot, and unfinished ones, go; all others stay."""
    schedule = Schedule()
    with open_writer(root, settings=LARGE) as journal:
        journal.append(keep(journal, schedule))
        kept = files(root)
        journal.keep_body(random_id(), BODY)
        journal.keep_body(schedule.process, Body("ans104", os.urandom(1500)))
        (kept[0].parent / "unfinished.creating").write_bytes(b"")
        assert len(files(root)) == 4
    with open_writer(root, settings=LARGE) as journal:
        assert files(root) == kept
        assert journal.body(schedule.process) == BODY


def test_another_limit_keeps_old_messages_readable(root: Path) -> None:
    """Whether a message is a file was decided when it came, not when it is read."""
    schedule = Schedule()
    with open_writer(root, settings=LARGE) as journal:
        journal.append(keep(journal, schedule))
        journal.append(keep(journal, schedule, SMALL))
    for limit in (10, 10_000):
        with open_writer(root, settings=StoreSettings(large_body=limit)) as journal:
            for message_id, body in zip(schedule.messages, (BODY, SMALL), strict=True):
                assert journal.body(message_id) == body
                assert journal.same_body(message_id, body)


@pytest.mark.parametrize(
    ("code", "error"),
    [(errno.ENOSPC, StoreFull), (errno.EDQUOT, StoreFull), (errno.EIO, Unavailable)],
)
def test_a_failed_write_is_refused_and_leaves_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, code: int, error: type[Exception]
) -> None:
    """A large message that cannot be written is refused; the store goes on."""
    schedule = Schedule()

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    with open_writer(root, settings=LARGE) as journal:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail)
            with pytest.raises(error):
                journal.keep_body(schedule.process, BODY)
        assert files(root) == []
        journal.append(keep(journal, schedule))
