"""Heads, the index and the list of work are held against the records they stand for."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from protocol.ids import Id
from storage.journal import Work
from storage.records import pack_index, pack_work
from storage.sealing import seal
from storage.tables import index_key, slot_key
from storage.verify import Fault
from tests.storage.sound import PINNED, PUBLISHED, STORED, TOTALS, Sound, found
from tests.storage.tamper import flip, forge_head, head, put, remove

pytestmark = pytest.mark.guarantee("S12")


def test_a_flipped_bit_in_the_index_is_found(sound: Sound) -> None:
    """A damaged entry is named by itself, and with the slot whose message it was for."""
    flip(sound.root, "index", index_key(sound.one.process, sound.message(2)))
    process = sound.one.process
    assert found(sound.root) == {(Fault.INDEX, process, None), (Fault.INDEX, process, 2)}


def test_a_flipped_bit_in_a_head_is_found(sound: Sound) -> None:
    """A damaged head is named with its process; other processes are checked all the same."""
    flip(sound.root, "heads", sound.one.process)
    flip(sound.root, "slots", slot_key(sound.two.process, 1))
    assert found(sound.root) == {
        (Fault.RECORD, sound.one.process, None),
        (Fault.RECORD, sound.two.process, 1),
    }


def test_a_flipped_bit_in_the_list_of_work_is_found(sound: Sound) -> None:
    """Recovery would not find what is left to do."""
    flip(sound.root, "work", sound.one.process)
    assert found(sound.root) == {(Fault.HEAD, sound.one.process, PINNED)}


def test_a_lost_index_entry_is_found(sound: Sound) -> None:
    """The message could be assigned a second time."""
    remove(sound.root, "index", index_key(sound.one.process, sound.message(2)))
    assert found(sound.root) == {(Fault.INDEX, sound.one.process, 2)}


def test_lost_work_is_found(sound: Sound) -> None:
    """Recovery would never sign the pinned slot."""
    remove(sound.root, "work", sound.one.process)
    assert found(sound.root) == {(Fault.HEAD, sound.one.process, PINNED)}


def test_work_that_is_done_is_found(sound: Sound) -> None:
    """Work is listed only while there is some."""
    process = sound.two.process
    put(sound.root, "work", process, pack_work(Work(process, None, 2)))
    assert found(sound.root) == {(Fault.HEAD, process, 2)}


@pytest.mark.parametrize("only", [False, True])
@pytest.mark.parametrize("name", ["one", "two"])
def test_a_lost_head_is_found(sound: Sound, name: str, only: bool) -> None:
    """Its slots, signatures, receipts and index are strays; the first of each is named."""
    process = getattr(sound, name).process
    remove(sound.root, "heads", process)
    strays = {(Fault.STRAY, process, 0), (Fault.STRAY, process, None)}
    assert found(sound.root, process if only else None) == strays


@pytest.mark.parametrize("number", [0, 1 << 255, (1 << 256) - 1])
@pytest.mark.parametrize("table", ["slots", "commitments", "receipts"])
def test_a_slot_of_no_process_is_found(sound: Sound, table: str, number: int) -> None:
    """Wherever it lies among the others."""
    process = Id(number.to_bytes(32, "big"))
    put(sound.root, table, slot_key(process, 7), b"anything")
    assert found(sound.root) == {(Fault.STRAY, process, 7), TOTALS}


@pytest.mark.parametrize("table", ["index", "work"])
def test_another_record_of_no_process_is_found(sound: Sound, table: str) -> None:
    """An index entry, or work, that no head accounts for."""
    process = Id(os.urandom(32))
    put(sound.root, table, process, b"anything")
    assert found(sound.root) == {(Fault.STRAY, process, None)}


@pytest.mark.parametrize(("table", "slot"), [("slots", 6), ("commitments", 5), ("receipts", 4)])
def test_a_record_beyond_the_head_is_found(sound: Sound, table: str, slot: int) -> None:
    """The first slot that the head does not account for is named."""
    put(sound.root, table, slot_key(sound.one.process, slot), b"anything")
    assert found(sound.root) == {(Fault.STRAY, sound.one.process, slot), TOTALS}


def test_a_head_one_slot_ahead_is_found(sound: Sound) -> None:
    """The slot that it promises is named as missing."""
    forge_head(sound.root, sound.one.process, pinned=PINNED + 1)
    assert found(sound.root) == {(Fault.RECORD, sound.one.process, PINNED + 1)}


def test_a_head_far_ahead_is_found(sound: Sound) -> None:
    """A head that promises more slots than the store holds is not believed."""
    forge_head(sound.root, sound.one.process, pinned=10**15)
    assert (Fault.HEAD, sound.one.process, 10**15) in found(sound.root)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"pinned": PINNED - 1}, (Fault.STRAY, PINNED)),
        ({"stored": STORED - 1}, (Fault.STRAY, STORED)),
        ({"stored": STORED + 1}, (Fault.RECORD, STORED + 1)),
        ({"stored": PINNED + 1}, (Fault.HEAD, PINNED)),
        ({"published": PUBLISHED - 1}, (Fault.STRAY, PUBLISHED)),
        ({"published": PUBLISHED + 1}, (Fault.RECEIPT, PUBLISHED + 1)),
        ({"published": STORED + 1}, (Fault.HEAD, PINNED)),
        ({"link": "A" * 43}, (Fault.HEAD, PINNED)),
        ({"timestamp": 1}, (Fault.HEAD, PINNED)),
    ],
)
def test_a_head_that_does_not_fit_is_found(sound: Sound, changes: dict, problem: tuple) -> None:
    """A head behind its records, or ahead of them, or with another end."""
    forge_head(sound.root, sound.one.process, **changes)
    fault, slot = problem
    assert (fault, sound.one.process, slot) in found(sound.root)


def test_a_head_with_another_block_is_found(sound: Sound) -> None:
    """The next block height is judged by the head."""
    block = head(sound.root, sound.one.process).block
    forge_head(sound.root, sound.one.process, block=replace(block, height=1))
    assert found(sound.root) == {(Fault.HEAD, sound.one.process, PINNED)}


def test_an_index_entry_for_a_later_slot_is_found(sound: Sound) -> None:
    """It leads to another message, and a resubmission would get the wrong slot."""
    key = index_key(sound.one.process, sound.message(1))
    put(sound.root, "index", key, pack_index(key, 2))
    process = sound.one.process
    assert found(sound.root) == {(Fault.INDEX, process, 1), (Fault.INDEX, process, 2)}


@pytest.mark.parametrize("slot", [2, 99, -1, "two"])
def test_an_index_entry_for_no_message_is_found(sound: Sound, slot: int | str) -> None:
    """An entry for a message that is in no slot of the process."""
    key = index_key(sound.one.process, Id(os.urandom(32)))
    put(sound.root, "index", key, seal(b"index", key, slot))
    codes = {(fault, process) for fault, process, _ in found(sound.root)}
    assert codes == {(Fault.INDEX, sound.one.process)}
