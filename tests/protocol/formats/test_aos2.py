from __future__ import annotations

import orjson
import pytest

from protocol.assignment import Block
from protocol.formats import aos2
from protocol.formats.frame import Frame
from protocol.ids import Id
from protocol.message import Message
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.protocol.formats.entries import entry, item_of, legacy_entry
from tests.protocol.formats.recorded_schedules import SCHEDULES, recorded_entries
from tests.protocol.recorded import Json, raw, vectors

SLOTS = [(name, slot) for name in SCHEDULES for slot in range(11)]


def recorded_messages() -> dict[str, Json]:
    """All items that HyperBEAM could show as JSON, by name."""
    ans104 = vectors("ans104")
    found = {item["name"]: item for item in ans104["items"] + ans104["foreign"]}
    for message in ans104["messages"]:
        for stage in ("commit", "commit_bundle"):
            found[f"{message['name']} {stage}"] = message[stage] or {}
    # HyperBEAM reads a list of items as keys 1, 2, … and shows their data as none; for us it
    # stays the data that it is.
    del found["bundle-list"]
    return {
        name: item
        for name, item in found.items()
        if isinstance(item.get("decoded", {}).get("aos2_json"), str)
    }


MESSAGES = recorded_messages()


@pytest.mark.parametrize("name", MESSAGES)
def test_an_item_is_shown_as_recorded(name: str) -> None:
    """Every recorded data item becomes HyperBEAM's JSON, byte by byte."""
    shown = aos2.message(Message.decode(raw(MESSAGES[name]["item_b64u"])))
    assert orjson.dumps(shown).decode() == MESSAGES[name]["decoded"]["aos2_json"]


@pytest.mark.parametrize(("name", "slot"), SLOTS)
def test_a_slot_is_shown_as_recorded(name: str, slot: int) -> None:
    """Every recorded assignment and message becomes HyperBEAM's JSON, whatever its codec."""
    recorded = SCHEDULES[name]["assignments"][slot]["aos2"]
    shown = aos2.node(recorded_entries(name)[slot])
    assert {key: orjson.dumps(part).decode() for key, part in shown.items()} == recorded


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_page_is_as_recorded(name: str) -> None:
    """A page of all recorded slots is HyperBEAM's reply, byte by byte."""
    page = aos2.schedule(frame(name), recorded_entries(name))
    assert page.decode() == SCHEDULES[name]["signed_schedule"]["aos2_json"]


def test_what_is_no_text_is_null(wallet: Wallet) -> None:
    """Data and tag values that are no UTF-8 become null, and the page is still written."""
    message = Message.create({"Type": "Message", "Blob": b"\xff\x00", "data": b"\xfe"}, wallet)
    process = Id(bytes(32))
    page = aos2.schedule(Frame(process, True, 7, Block()), [entry(message, wallet, process, 3)])
    (edge,) = orjson.loads(page)["edges"]
    assert edge["node"]["message"]["Data"] is None
    assert edge["node"]["message"]["Tags"][0] == {"name": "Blob", "value": None}
    assert orjson.loads(page)["page_info"]["has_next_page"] is True


def test_the_sender_may_be_a_process(wallet: Wallet, user_wallet: Wallet) -> None:
    """`From` is the process that a message says it is from, its owner the one who signed."""
    sender, process = str(wallet.address), Id(bytes(32))
    message = Message.decode(message_item(user_wallet, process, from_process=sender))
    shown = aos2.message(message)
    assert (shown["From"], shown["Owner"]) == (sender, str(user_wallet.address))


def test_an_assignment_of_the_older_network_keeps_its_tags(
    wallet: Wallet, user_wallet: Wallet
) -> None:
    """Names and order of its tags and its anchor are those of the signed item."""
    process = Message.decode(process_item(user_wallet, wallet.address))
    for slot in (0, 1):
        made = legacy_entry(process, wallet, process.id, slot)
        shown, item = aos2.assignment(made.assignment), item_of(made)
        assert [tag["name"].encode() for tag in shown["Tags"]] == [name for name, _ in item.tags]
        assert shown["Tags"][2] == {"name": "Nonce", "value": str(slot)}
        assert shown["Anchor"] == str(Id(item.anchor))
        assert shown["Id"] == str(item.id)


def test_of_several_signers_the_first_by_id_is_shown(wallet: Wallet, user_wallet: Wallet) -> None:
    """JSON has room for one signer: the one whose commitment ID comes first."""
    process = Message.decode(process_item(user_wallet, wallet.address))
    made = [entry(process, signer, process.id, 0).assignment for signer in (wallet, user_wallet)]
    both = made[0].signed([*made[0].commitments, *made[1].commitments])
    shown = aos2.assignment(both)
    first = min(both.commitments, key=lambda commitment: str(commitment.id))
    assert (shown["Owner"], shown["Id"]) == (str(first.committer), str(both.id))


def frame(name: str) -> Frame:
    block = Block(**vectors("assignments")["arweave_time"])
    return Frame(Id.parse(SCHEDULES[name]["process_id"]), False, block.timestamp, block)
