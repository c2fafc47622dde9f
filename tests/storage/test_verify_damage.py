"""Damaged, swapped and lost records are found, and named with the process and slot."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.wallet import Wallet
from storage import StoreSettings, open_writer
from storage.tables import owner_key, slot_key
from storage.verify import Fault
from tests.storage.signed import SignedSchedule
from tests.storage.sound import PINNED, STORED, TOTALS, Sound, found
from tests.storage.tamper import flip, get, put, remove

pytestmark = pytest.mark.guarantee("S12")


def test_a_sound_store_has_no_problems(untouched: Sound) -> None:
    """Before any damage there is nothing to find."""
    assert found(untouched.root) == set()


@pytest.mark.parametrize("place", [0, 16, -1])
@pytest.mark.parametrize(
    ("table", "fault"),
    [("slots", Fault.RECORD), ("commitments", Fault.RECORD), ("receipts", Fault.RECEIPT)],
)
def test_a_flipped_bit_in_a_slot_is_found(sound: Sound, table: str, fault: Fault, place) -> None:
    """A record of a slot that does not match its digest is named with the slot."""
    flip(sound.root, table, slot_key(sound.one.process, 2), place)
    assert found(sound.root) == {(fault, sound.one.process, 2)}


def test_a_flipped_bit_in_a_pinned_slot_is_found(sound: Sound) -> None:
    """What is pinned and not signed yet is checked as well."""
    flip(sound.root, "slots", slot_key(sound.one.process, PINNED))
    assert found(sound.root) == {(Fault.RECORD, sound.one.process, PINNED)}


def test_a_flipped_bit_in_a_message_is_found(sound: Sound) -> None:
    """A damaged message is named with the slot that holds it."""
    flip(sound.root, "messages", sound.message(2))
    assert found(sound.root) == {(Fault.MESSAGE, sound.one.process, 2)}


@pytest.mark.parametrize("key", [b"ownership", b"tally"])
def test_a_flipped_bit_in_the_store_s_own_records_is_found(sound: Sound, key: bytes) -> None:
    """What belongs to no process is checked with the whole store only."""
    flip(sound.root, "meta", key)
    assert found(sound.root) == {(Fault.RECORD, None, None)}
    assert found(sound.root, sound.one.process) == set()


def test_a_flipped_bit_in_a_public_key_is_found(sound: Sound, wallet: Wallet) -> None:
    """Without the key no signature of that wallet can be checked, which is said of each."""
    flip(sound.root, "meta", owner_key(wallet.address))
    signed = [(Fault.RECORD, sound.one.process, slot) for slot in range(STORED + 1)]
    assert found(sound.root, sound.one.process) == set(signed)
    assert (Fault.RECORD, None, None) in found(sound.root)


@pytest.mark.parametrize("table", ["slots", "commitments"])
def test_swapped_records_are_found(sound: Sound, table: str) -> None:
    """Two good records under each other's keys are both named."""
    first, second = (slot_key(sound.one.process, slot) for slot in (1, 2))
    records = get(sound.root, table, first), get(sound.root, table, second)
    put(sound.root, table, first, records[1])
    put(sound.root, table, second, records[0])
    assert found(sound.root) == {(Fault.RECORD, sound.one.process, slot) for slot in (1, 2)}


@pytest.mark.guarantee("S2")
def test_a_lost_slot_is_found(sound: Sound) -> None:
    """A gap is named, and so is the entry of the index that leads there."""
    remove(sound.root, "slots", slot_key(sound.one.process, 2))
    place = sound.one.process, 2
    assert found(sound.root) == {(Fault.RECORD, *place), (Fault.INDEX, *place), TOTALS}


@pytest.mark.parametrize(
    ("table", "fault"), [("commitments", Fault.RECORD), ("receipts", Fault.RECEIPT)]
)
def test_a_lost_record_of_a_slot_is_found(sound: Sound, table: str, fault: Fault) -> None:
    """A stored slot has its signature, a published one its receipt."""
    remove(sound.root, table, slot_key(sound.one.process, 2))
    assert found(sound.root) == {(fault, sound.one.process, 2), TOTALS}


def test_a_lost_message_is_found(sound: Sound) -> None:
    """A slot without its message is named."""
    remove(sound.root, "messages", sound.message(2))
    assert found(sound.root) == {(Fault.MESSAGE, sound.one.process, 2)}


@pytest.mark.parametrize("damage", ["flip", "remove"])
def test_a_damaged_file_of_a_large_message_is_found(
    tmp_path: Path, user_wallet: Wallet, wallet: Wallet, damage: str
) -> None:
    """Large messages are files of their own, and read like the others."""
    root = tmp_path / "store"
    schedule = SignedSchedule(user_wallet, wallet)
    with open_writer(root, settings=StoreSettings(large_body=1000)) as journal:
        batch = schedule.published(2)
        for pin in batch.pins:
            journal.keep_body(pin.assignment.message_id, pin.body)
        journal.append(batch)
    assert found(root) == set()
    message_id = schedule.pins[1].assignment.message_id
    (file,) = (root / "shard-000" / "bodies").glob(f"*/{message_id}.*")
    if damage == "flip":
        file.write_bytes(b"?" + file.read_bytes()[1:])
    else:
        file.unlink()
    assert found(root) == {(Fault.MESSAGE, schedule.process, 1)}
