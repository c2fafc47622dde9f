"""Verification reads a store as a stranger would, and says what it read."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from protocol.chain import HashChain
from protocol.errors import NotFound, StoreInvalid
from protocol.ids import Id
from protocol.message import verify
from protocol.wallet import Wallet
from storage import Batch, open_reader, open_writer
from storage.records import pack_head, pack_pin
from storage.tables import slot_key
from storage.verify import Fault, Problem, Report, verify_store
from storage.verify.report import MAX_PROBLEMS, Findings
from storage.verify.survey import SURVEY_HEADS, survey
from storage.verify.tasks import PART_SLOTS, Survey
from tests.storage.raw import Raw
from tests.storage.schedules import Schedule, random_id
from tests.storage.signed import SignedSchedule, signed_by_ed25519
from tests.storage.sound import Sound, found
from tests.storage.tamper import flip, head, put


@pytest.mark.parametrize("workers", [0, 2])
def test_a_sound_store_is_read_completely(untouched: Sound, workers: int) -> None:
    """Every slot, signature, message and receipt is counted, wherever the work is done."""
    report = verify_store(untouched.root, workers=workers)
    assert report == Report(2, 8, 9, 17, 7, report.seconds, (), 0)
    assert report.ok


def test_one_process_is_checked_alone(sound: Sound) -> None:
    """Damage elsewhere is somebody else's."""
    flip(sound.root, "heads", sound.two.process)
    report = verify_store(sound.root, sound.one.process, workers=0)
    assert report == Report(1, 5, 6, 11, 4, report.seconds, (), 0)
    assert not verify_store(sound.root, sound.two.process, workers=0).ok


def test_an_unknown_process_is_refused(untouched: Sound) -> None:
    """There is nothing to say about a process that is not there."""
    with pytest.raises(NotFound):
        verify_store(untouched.root, random_id(), workers=0)


def test_a_folder_that_is_no_store_is_refused(tmp_path: Path) -> None:
    """A missing store is not a damaged one."""
    with pytest.raises(StoreInvalid):
        verify_store(tmp_path)


def test_an_empty_store_is_sound(tmp_path: Path) -> None:
    """Nothing has been promised yet."""
    open_writer(tmp_path / "store").close()
    assert verify_store(tmp_path / "store", workers=0).ok


def test_a_message_in_two_slots_is_sound(
    tmp_path: Path, user_wallet: Wallet, wallet: Wallet
) -> None:
    """A store that allows duplicates indexes only the first of them."""
    schedule = SignedSchedule(user_wallet, wallet)
    with open_writer(tmp_path / "store") as journal:
        journal.append(schedule.published(2))
        journal.append(Batch(pins=[schedule.pin(verify(schedule.pins[1].body.encoded))]))
    assert found(tmp_path / "store") == set()


def test_two_signers_are_both_checked(tmp_path: Path, user_wallet: Wallet, wallet: Wallet) -> None:
    """A process may name several of our wallets, and each signs."""
    schedule = SignedSchedule(user_wallet, wallet, second=user_wallet)
    with open_writer(tmp_path / "store") as journal:
        journal.append(schedule.published(2))
    report = verify_store(tmp_path / "store", workers=0)
    assert (report.ok, report.signatures) == (True, 6)


def test_a_message_of_another_signature_type_is_sound(tmp_path: Path, sound: Sound) -> None:
    """An operator may accept more than RSA; what was accepted once stays valid."""
    schedule = SignedSchedule(sound.one.user, sound.one.wallet)
    with open_writer(tmp_path / "other") as journal:
        journal.append(schedule.pinned(1))
        message = verify(signed_by_ed25519(schedule.process), accept={2})
        journal.append(Batch(pins=[schedule.pin(message)]))
    assert found(tmp_path / "other") == set()


@pytest.mark.guarantee("S3")
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("broken", [PART_SLOTS - 1, PART_SLOTS, PART_SLOTS + 1])
def test_a_link_broken_between_two_parts_is_found(
    tmp_path: Path, user_wallet: Wallet, wallet: Wallet, workers: int, broken: int
) -> None:
    """A long process is checked in parts, and each part starts where the one before ended."""
    schedule = SignedSchedule(user_wallet, wallet)
    root = tmp_path / "store"
    with open_writer(root) as journal:
        journal.append(schedule.pinned(2))
        message = verify(schedule.pins[1].body.encoded)
        journal.append(Batch([schedule.pin(message) for _ in range(2 * PART_SLOTS)]))
    report = verify_store(root, workers=workers)
    assert (report.ok, report.messages) == (True, 2 * PART_SLOTS + 2)

    begin_anew(root, schedule, broken)
    (problem,) = verify_store(root, workers=workers).problems
    assert (problem.code, problem.process, problem.slot) == (
        Fault.CHAIN,
        schedule.process,
        broken,
    )


def test_thousands_of_processes_are_checked_page_by_page(tmp_path: Path) -> None:
    """Every process is met, and the details of what is wrong stay bounded."""
    schedules = [Schedule() for _ in range(2100)]
    with open_writer(tmp_path / "store") as journal:
        journal.append(Batch([schedule.pin() for schedule in schedules]))
    report = verify_store(tmp_path / "store", workers=0)
    # These messages are no items, so each process has its one problem.
    assert (report.processes, report.problem_count) == (2100, 2100)
    assert len(report.problems) == MAX_PROBLEMS


def test_no_record_is_missed_between_two_pages(tmp_path: Path) -> None:
    """A record without a process is found before, between and after the pages of heads."""
    root = tmp_path / "store"
    schedules = [Schedule() for _ in range(2 * SURVEY_HEADS + 1)]
    with open_writer(root) as journal:
        journal.append(Batch([schedule.pin() for schedule in schedules]))
    processes = sorted(schedule.process for schedule in schedules)
    neighbours = [processes[n] for n in (0, SURVEY_HEADS - 1, SURVEY_HEADS, -1)]
    strays = {neighbour(process, step) for process in neighbours for step in (-1, 1)}
    for process in strays:
        put(root, "index", process, b"anything")
    findings = Findings()
    with open_reader(root) as reader, reader.snapshot() as snapshot:
        after: Id | None = None
        while (after := survey(snapshot, Survey(0, after), findings).after) is not None:
            pass
    assert {problem.process for problem in findings.problems} == strays
    assert {problem.code for problem in findings.problems} == {Fault.STRAY}


def test_progress_reaches_the_total(untouched: Sound) -> None:
    """Slots done never go back, and all are done in the end."""
    calls: list[tuple[int, int]] = []
    verify_store(untouched.root, workers=0, progress=lambda *call: calls.append(call))
    assert calls[-1] == (9, 9)
    assert calls == sorted(calls)


@pytest.mark.guarantee("S9")
def test_a_writer_goes_on_meanwhile(tmp_path: Path, user_wallet: Wallet, wallet: Wallet) -> None:
    """What is appended during a verification is no problem, in known and in new processes."""
    schedule = SignedSchedule(user_wallet, wallet)
    number = 0
    with open_writer(tmp_path / "store") as journal:
        journal.append(schedule.published(3))

        def write_on(_done: int, _total: int) -> None:
            nonlocal number
            number += 1
            journal.append(schedule.published(1))
            journal.append(SignedSchedule(user_wallet, wallet, number).pinned(2))

        report = verify_store(tmp_path / "store", workers=2, progress=write_on)
        assert report.problems == ()
        assert number > 2
        assert verify_store(tmp_path / "store", workers=2).problems == ()


def test_a_report_can_be_printed_as_json(sound: Sound) -> None:
    """IDs and codes are text, and the counts are there."""
    flip(sound.root, "slots", slot_key(sound.one.process, 2))
    report = verify_store(sound.root, workers=0)
    shown = json.loads(json.dumps(report.as_dict()))
    (problem,) = shown.pop("problems")
    assert problem == {
        "process": str(sound.one.process),
        "slot": 2,
        "code": "record",
        "detail": f"slots record of process {sound.one.process} slot 2 does not match its digest",
    }
    assert shown == {
        "ok": False,
        "processes": 2,
        "assignments": 7,
        "messages": 8,
        "signatures": 15,
        "receipts": 6,
        "seconds": round(report.seconds, 3),
        "problem_count": 1,
    }
    assert pickle.loads(pickle.dumps(report)) == report


def test_a_problem_is_one_line() -> None:
    """Where it is, what it is, and the detail."""
    process = Id(bytes(32))
    assert (
        str(Problem(Fault.CHAIN, "broken", process, 3))
        == f"process {process} slot 3: chain: broken"
    )
    assert str(Problem(Fault.FILE, "torn")) == "store: file: torn"


def begin_anew(root: Path, schedule: SignedSchedule, slot: int) -> None:
    """Let the chain start again from nothing at `slot`, and everything after it follow."""
    link = ""
    with Raw(root, "slots") as raw:
        for pin in schedule.pins[slot:]:
            link = HashChain().next(link, pin.assignment.message_id)
            key = slot_key(schedule.process, pin.assignment.slot)
            raw.put(key, pack_pin(key, replace(pin.assignment, link=link)))
    forged = head(root, schedule.process)._replace(link=link)
    put(root, "heads", schedule.process, pack_head(forged))


def neighbour(process: Id, step: int) -> Id:
    """The process right before or after another in key order, which has no head."""
    return Id((int.from_bytes(process, "big") + step).to_bytes(32, "big"))
