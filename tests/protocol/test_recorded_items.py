"""Recorded data items read and written as HyperBEAM and the JavaScript clients have them."""

from __future__ import annotations

import re

import pytest

from protocol.codecs import ans104
from protocol.errors import MalformedItem, UnsupportedSignature
from tests.protocol.recorded import Json, pairs, raw, recorded_items, vectors

ITEMS = recorded_items()
SIGNED = {name: item for name, item in ITEMS.items() if item["id"]}
NEGATIVE = {item["name"]: item for item in vectors("ans104")["negative"]}
FOREIGN = {item["name"]: item for item in vectors("ans104")["foreign"]}

UNSOUND = {"empty-body commit"}
"""HyperBEAM signed another form of this item than it wrote, and verifies it neither."""

REWRITTEN = {"bundle-list", "lower-target-field-and-target-tag", "duplicate-tags-lower"}
"""HyperBEAM decodes these to messages that encode differently, and judges those."""

UNREADABLE = {
    "truncated-in-tags": MalformedItem,
    "truncated-in-signature": MalformedItem,
    "truncated-in-owner": MalformedItem,
    "empty": MalformedItem,
    "unknown-signature-type": UnsupportedSignature,
    "wrong-target-presence-byte": MalformedItem,
    "text": UnsupportedSignature,
}
READABLE = [name for name in NEGATIVE if name not in UNREADABLE]


@pytest.mark.parametrize("name", ITEMS)
def test_an_item_is_read_as_recorded(name: str) -> None:
    """Tags, target, anchor and data are what HyperBEAM read from the same bytes."""
    recorded, item = ITEMS[name], parsed(ITEMS[name])
    assert list(item.tags) == pairs(recorded["tags"])
    assert (item.target, item.anchor) == (raw(recorded["target"]), raw(recorded["anchor"]))
    assert item.data == raw(recorded["data_b64u"])
    assert item.flaw == ""


@pytest.mark.parametrize("name", ITEMS)
def test_an_item_is_written_as_it_came(name: str) -> None:
    """Serialising what was parsed gives the same bytes."""
    encoded = parsed(ITEMS[name]).encode()
    assert encoded == raw(ITEMS[name]["item_b64u"])
    assert len(encoded) == ITEMS[name].get("item_size", len(encoded))


@pytest.mark.parametrize("name", ITEMS)
def test_the_signature_data_is_as_recorded(name: str) -> None:
    """The deep hash, and the ID before signing that follows from it, are HyperBEAM's."""
    item = parsed(ITEMS[name])
    assert item.signature_data() == raw(ITEMS[name]["signature_data_b64u"])
    assert str(item.unsigned_id) == ITEMS[name]["unsigned_id"]


@pytest.mark.parametrize("name", SIGNED)
def test_a_signed_item_has_its_recorded_names(name: str) -> None:
    """The ID and the owner's address are HyperBEAM's."""
    item = parsed(SIGNED[name])
    assert (str(item.id), str(item.owner_address)) == (
        SIGNED[name]["id"],
        SIGNED[name]["owner_address"],
    )


@pytest.mark.parametrize("name", SIGNED)
def test_a_signed_item_verifies_as_recorded(name: str) -> None:
    """What a real wallet signed verifies; the one item signed over other bytes does not."""
    recorded = SIGNED[name]
    assert parsed(recorded).verify() is (name not in UNSOUND)
    assert recorded.get("verify_all", True) is (name not in UNSOUND)
    assert recorded["decoded"]["verify_item"] is (name not in UNSOUND | {"bundle-list"})
    assert recorded["decoded"]["verify_all"] is (name not in UNSOUND | REWRITTEN)


@pytest.mark.parametrize("name", SIGNED)
def test_a_changed_byte_no_longer_verifies(name: str) -> None:
    """Flipping one bit of what is signed is noticed, wherever the item ends."""
    encoded = raw(SIGNED[name]["item_b64u"])
    changed = encoded[:600] + bytes((encoded[600] ^ 1,)) + encoded[601:]  # within the owner
    assert not ans104.parse(changed).verify()


@pytest.mark.parametrize("name", READABLE)
def test_a_damaged_item_is_judged_as_recorded(name: str) -> None:
    """Damage that leaves an item readable changes verdict and ID as it does in HyperBEAM."""
    item, result = parsed(NEGATIVE[name]), NEGATIVE[name]["result"]
    assert item.encode() == raw(NEGATIVE[name]["item_b64u"])
    assert {"id": str(item.id), "verify_item": item.verify()} == result


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_hyperbeam_cannot_read_is_refused_by_name(name: str) -> None:
    """Where HyperBEAM raised, reading is refused with an error that says why."""
    assert "error" in NEGATIVE[name]["result"]
    with pytest.raises(UNREADABLE[name]):
        parsed(NEGATIVE[name])


def test_only_a_lying_count_verifies_and_is_not_canonical() -> None:
    """HyperBEAM ignores the header's tag count; here it is read, shown and not scheduled."""
    flaws = {name: parsed(NEGATIVE[name]).flaw for name in READABLE}
    assert {name for name, flaw in flaws.items() if flaw} == {"tag-count-header-wrong"}


def test_an_ethereum_item_verifies() -> None:
    """Signature type 3, which HyperBEAM refuses, verifies with the ID that arbundles gave."""
    recorded = FOREIGN["arb-ethereum"]
    assert "error" in recorded
    item = parsed(recorded)
    assert item.encode() == raw(recorded["item_b64u"])
    assert item.verify()
    assert str(item.id) == re.search(r"id (\S{43}) valid true", recorded["note"])[1]


def test_typed_ethereum_data_is_a_named_refusal() -> None:
    """Signature type 7 is told from nonsense: the refusal names it."""
    with pytest.raises(UnsupportedSignature, match=r"7 \(typed Ethereum\)"):
        parsed(FOREIGN["arb-typed-ethereum"])


def test_every_recorded_item_is_tried() -> None:
    """No entry of the file is passed over, but those whose commit HyperBEAM itself refused."""
    ans104 = vectors("ans104")
    failed = {
        f"{message['name']} {stage}"
        for message in ans104["messages"]
        for stage in ("unsigned_item", "commit", "commit_bundle")
        if message[stage] and "error" in message[stage]
    }
    assert failed == {"integer-16-digits commit", "id-key-nested commit_bundle"}
    assert sum(message["unsigned_item"] is None for message in ans104["messages"]) == 0
    refused = {name for name, item in FOREIGN.items() if "error" in item}
    assert refused == {"arb-ethereum", "arb-typed-ethereum"}


def parsed(recorded: Json) -> ans104.Item:
    return ans104.parse(raw(recorded["item_b64u"]))
