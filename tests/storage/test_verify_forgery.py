"""Records that were falsified along with their digests are found by what they say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from protocol.assignment import Block
from protocol.chain import HashChain
from protocol.codecs.assignment import commit
from protocol.message import verify
from protocol.terms import Terms
from protocol.wallet import Wallet
from storage import Batch, open_writer
from storage.records import (
    Owner,
    StoredBody,
    pack_body,
    pack_owner,
    unpack_body,
)
from storage.sealing import seal
from storage.tables import COMMITMENTS, SLOTS, owner_key, slot_key
from storage.verify import Fault
from tests.items import message_item
from tests.storage.signed import SignedSchedule, receipt
from tests.storage.sound import PINNED, STORED, Sound, found
from tests.storage.tamper import (
    forge_pin,
    forge_receipt,
    forge_signature,
    get,
    put,
)

pytestmark = pytest.mark.guarantee("S12")


def test_a_public_key_under_another_address_is_found(sound: Sound, wallet: Wallet) -> None:
    """The address is the digest of the key, whatever a record claims."""
    key = owner_key(wallet.address)
    put(sound.root, "meta", key, pack_owner(key, Owner("rsa-pss-sha256", os.urandom(512))))
    signed = [(Fault.SIGNATURE, sound.one.process, slot) for slot in range(STORED + 1)]
    assert found(sound.root, sound.one.process) == set(signed)
    assert (Fault.RECORD, None, None) in found(sound.root)


@pytest.mark.guarantee("S3")
def test_a_forged_link_is_found(sound: Sound) -> None:
    """It follows from nothing, nothing follows from it, and it is not what was signed."""
    forged = sound.one.pins[2].assignment
    forge_pin(sound.root, forged, link=HashChain().next("", forged.message_id))
    process = sound.one.process
    assert found(sound.root) == {
        (Fault.CHAIN, process, 2),
        (Fault.CHAIN, process, 3),
        (Fault.SIGNATURE, process, 2),
    }


@pytest.mark.guarantee("S8")
@pytest.mark.parametrize("changes", [{"timestamp": 1}, {"block": Block(height=1)}])
def test_time_that_goes_back_is_found(sound: Sound, changes: dict) -> None:
    """A timestamp or a block height below the one before is named."""
    forge_pin(sound.root, sound.one.pins[2].assignment, **changes)
    place = sound.one.process, 2
    assert found(sound.root) == {(Fault.TIME, *place), (Fault.SIGNATURE, *place)}


def test_a_forged_message_is_found(sound: Sound) -> None:
    """Another message in a slot breaks chain, signature, index and receipt."""
    forge_pin(sound.root, sound.one.pins[2].assignment, message_id=sound.message(1))
    faults = {Fault.CHAIN, Fault.SIGNATURE, Fault.INDEX, Fault.RECEIPT}
    assert found(sound.root) == {(fault, sound.one.process, 2) for fault in faults}


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"path": b"elsewhere"}, {Fault.MESSAGE, Fault.SIGNATURE}),
        ({"variant": "ao.N.2"}, {Fault.TERMS, Fault.SIGNATURE}),
        ({"epoch": "1"}, {Fault.TERMS, Fault.SIGNATURE}),
        ({"chain": "other"}, {Fault.TERMS, Fault.SIGNATURE}),
        ({"link": 7}, {Fault.RECORD, Fault.CHAIN}),
    ],
)
def test_a_forged_field_is_found(sound: Sound, changes: dict, faults: set[Fault]) -> None:
    """Every field is fixed by the process, by the message or by the signature."""
    forge_pin(sound.root, sound.one.pins[PINNED - 1].assignment, **changes)
    named = {(fault, slot) for fault, _, slot in found(sound.root)}
    assert {(fault, PINNED - 1) for fault in faults} <= named


def test_a_record_without_meaning_is_found(sound: Sound) -> None:
    """A digest that fits does not make a slot of anything."""
    key = slot_key(sound.one.process, 2)
    put(sound.root, "slots", key, seal(SLOTS, key, ["no", "assignment"]))
    assert found(sound.root) == {(Fault.RECORD, sound.one.process, 2)}


def test_a_forged_signature_is_found(sound: Sound, wallet: Wallet) -> None:
    """A signature over something else does not verify, and is not what was acknowledged."""
    signature = wallet.sign(b"something else")
    forge_signature(sound.root, sound.one.signed[2].signed([commit(wallet.owner, signature)]))
    place = sound.one.process, 2
    assert found(sound.root) == {(Fault.SIGNATURE, *place), (Fault.RECEIPT, *place)}


def test_a_signature_by_somebody_else_is_found(sound: Sound, user_wallet: Wallet) -> None:
    """A good signature counts only by the signers that the process named."""
    foreign = SignedSchedule(user_wallet, user_wallet)
    forge_signature(sound.root, foreign.sign(sound.one.pins[2].assignment))
    place = sound.one.process, 2
    assert found(sound.root) == {(Fault.TERMS, *place), (Fault.RECEIPT, *place)}


@pytest.mark.parametrize("count", [0, 2])
def test_a_wrong_number_of_signatures_is_found(sound: Sound, count: int) -> None:
    """Exactly the signers sign: none missing, none twice."""
    (made,) = sound.one.signed[STORED].commitments
    key = slot_key(sound.one.process, STORED)
    pairs = [(made.committer, made.signature)] * count
    put(sound.root, "commitments", key, seal(COMMITMENTS, key, (made.device, pairs)))
    assert found(sound.root) == {(Fault.TERMS, sound.one.process, STORED)}


@pytest.mark.guarantee("S10")
def test_a_message_that_does_not_verify_is_found(sound: Sound) -> None:
    """Changed data under an unchanged signature keeps the message's ID, not its validity."""
    message_id = sound.message(2)
    kept = unpack_body(message_id, get(sound.root, "messages", message_id))
    changed = StoredBody(kept.codec, kept.encoded[:-1] + b"!", "")
    put(sound.root, "messages", message_id, pack_body(message_id, changed))
    assert found(sound.root) == {(Fault.MESSAGE, sound.one.process, 2)}


@pytest.mark.parametrize("encoded", [b"", b"no item"])
def test_a_message_that_cannot_be_read_is_found(sound: Sound, encoded: bytes) -> None:
    """Bytes that are no item are named with their slot."""
    message_id = sound.message(2)
    put(
        sound.root, "messages", message_id, pack_body(message_id, StoredBody("ans104", encoded, ""))
    )
    assert found(sound.root) == {(Fault.MESSAGE, sound.one.process, 2)}


def test_another_message_under_an_id_is_found(sound: Sound) -> None:
    """A valid message is in the wrong place when its ID is another."""
    other = unpack_body(sound.message(1), get(sound.root, "messages", sound.message(1)))
    put(sound.root, "messages", sound.message(2), pack_body(sound.message(2), other))
    assert found(sound.root) == {(Fault.MESSAGE, sound.one.process, 2)}


@pytest.mark.guarantee("S10")
def test_a_message_for_another_process_is_found(tmp_path: Path, sound: Sound) -> None:
    """Everything about it may be in order, but its target is not this process."""
    astray = SignedSchedule(sound.one.user, sound.one.wallet)
    with open_writer(tmp_path / "other") as journal:
        journal.append(astray.published(1))
        message = verify(message_item(astray.user, sound.two.process))
        pin = astray.pin(message, process=astray.process)
        signed = astray.sign(pin.assignment)
        journal.append(Batch(pins=[pin], signed=[signed], receipts=[receipt(signed)]))
    assert found(tmp_path / "other") == {(Fault.MESSAGE, astray.process, 1)}


def test_terms_that_nobody_asked_for_are_found(tmp_path: Path, sound: Sound) -> None:
    """The terms are those of the process's own message, which names its schedulers."""
    user = sound.one.user
    pin = SignedSchedule(user, user).pin()
    with open_writer(tmp_path / "other") as journal:
        journal.append(Batch(pins=[pin._replace(terms=Terms((sound.one.wallet.address,)))]))
    assert found(tmp_path / "other") == {(Fault.MESSAGE, pin.assignment.process, 0)}


def test_a_receipt_for_something_else_is_found(sound: Sound) -> None:
    """What was acknowledged must be the message and the assignment of that slot."""
    wrong = receipt(sound.one.signed[1])._replace(slot=2)
    forge_receipt(sound.root, wrong)
    assert found(sound.root) == {(Fault.RECEIPT, sound.one.process, 2)}
