from __future__ import annotations

import pytest

from protocol.assignment import Block
from protocol.codecs import ans104_tabm, httpsig
from protocol.codecs.assignment import of_tabm, verify
from protocol.formats import bundle
from protocol.formats.frame import Frame
from protocol.ids import Id
from protocol.message import Message
from protocol.message import verify as verify_message
from protocol.tabm import COMMITMENTS, Tabm
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.protocol.formats.entries import entry, item_of, legacy_entry
from tests.protocol.formats.recorded_schedules import (
    SCHEDULES,
    WHOLE,
    recorded_entries,
    recorded_reply,
)
from tests.protocol.recorded import pairs, vectors

PROCESS = Id(bytes(range(32)))


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_page_is_framed_as_recorded(name: str) -> None:
    """Without slots, the keys are those of HyperBEAM's reply, and so are their headers."""
    made = bundle.schedule(frame(name), [])
    recorded = recorded_reply(name)
    assert made == {**recorded, b"assignments": {}}
    wire = SCHEDULES[name]["signed_schedule"]["bundle_unsigned_reply"]["wire"]
    of_body = {b"content-digest", b"content-type"}
    assert [pair for pair in httpsig.encode(made).headers if pair[0] not in of_body] == [
        pair for pair in pairs(wire["headers"]) if pair[0] not in of_body
    ]


@pytest.mark.parametrize("name", SCHEDULES)
def test_assignments_are_as_recorded(name: str) -> None:
    """But for its body, each assignment is HyperBEAM's, commitments included."""
    made = bundle.schedule(frame(name), recorded_entries(name))[b"assignments"]
    recorded = recorded_reply(name)[b"assignments"]
    assert list(made) == [b"%d" % slot for slot in range(11)]
    for slot, assigned in made.items():
        assert assigned == {**recorded[slot], b"body": assigned[b"body"]}


@pytest.mark.parametrize("name", SCHEDULES)
def test_flat_bodies_are_as_recorded(name: str) -> None:
    """Bodies are HyperBEAM's, but for the HMACs beside items, which anybody can make."""
    recorded = recorded_reply(name)[b"assignments"]
    compared = 0
    for made in recorded_entries(name):
        body = recorded[b"%d" % made.assignment.slot][b"body"]
        if any(key != COMMITMENTS and not isinstance(value, bytes) for key, value in body.items()):
            continue
        # Slot 9 had two signers; HyperBEAM's reply has lost both of their signatures.
        if made.assignment.slot != 9:
            assert signed_by_somebody(bundle.assigned(made)[b"body"]) == signed_by_somebody(body)
            compared += 1
    assert compared >= 6


@pytest.mark.parametrize("name", SCHEDULES)
def test_all_of_a_page_can_be_verified(name: str) -> None:
    """Read back from the wire, every assignment and every message verifies."""
    entries = recorded_entries(name)
    wire = httpsig.encode(bundle.schedule(frame(name), entries))
    read = httpsig.decode(wire, WHOLE)[b"assignments"]
    for made in entries:
        assigned = read[b"%d" % made.assignment.slot]
        verify(of_tabm(assigned))
        message = Message.of_tabm(assigned[b"body"])
        assert message == made.message
        assert verify_message(message).message_id == made.assignment.message_id


def test_an_assignment_of_the_older_network_carries_its_item(
    wallet: Wallet, user_wallet: Wallet
) -> None:
    """The signed item can be taken out of it; slot and message stand beside what is committed."""
    message = Message.decode(message_item(user_wallet, PROCESS))
    made = legacy_entry(message, wallet, PROCESS, 7)
    assigned = bundle.assigned(made)
    assert (assigned[b"slot"], assigned[b"nonce"]) == (b"7", b"7")
    item = ans104_tabm.item_of(assigned)
    assert item == item_of(made)
    assert item.verify()
    assert ans104_tabm.item_of(assigned[b"body"]).encode() == message.encoded


def test_a_page_says_whether_it_goes_on(wallet: Wallet, user_wallet: Wallet) -> None:
    """`continues` is an atom, and slots are named in decimal."""
    process = Message.decode(process_item(user_wallet, wallet.address))
    slots = [entry(process, wallet, process.id, slot) for slot in (9, 10)]
    made = bundle.schedule(Frame(process.id, True, 0, Block()), slots)
    assert made[b"continues"] == b"true"
    assert b'continues="atom"' in made[b"ao-types"]
    assert list(made[b"assignments"]) == [b"9", b"10"]


def signed_by_somebody(message: Tabm) -> Tabm:
    kept = {name: fields for name, fields in message[COMMITMENTS].items() if b"committer" in fields}
    return {**message, COMMITMENTS: kept}


def frame(name: str) -> Frame:
    block = Block(**vectors("assignments")["arweave_time"])
    return Frame(Id.parse(SCHEDULES[name]["process_id"]), False, block.timestamp, block)
