"""ANS-104 items as messages with commitments, compared with what HyperBEAM read and wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from protocol.codecs import ans104
from protocol.codecs.ans104_building import unsigned_item
from protocol.codecs.ans104_bundle import pack_list
from protocol.codecs.ans104_tabm import DEEPEST, item_of, tabm_of
from protocol.codecs.commitment_fields import claims_of, numbered, with_claims
from protocol.codecs.httpsig_commitment import from_wire, to_wire, verify
from protocol.codecs.structured import to_tabm
from protocol.errors import InvalidSignature, UnsupportedValue
from protocol.message import Message
from protocol.message_ids import linked, signed_id, unsigned_id
from protocol.tabm import COMMITMENTS, Tabm
from protocol.wallet import Wallet
from tests.protocol.recorded import Json, raw, recorded_items, tabm, typed, vectors, wire

MESSAGES = {message["name"]: message for message in vectors("messages")["messages"]}
ITEMS = recorded_items()
STAGES = {"unsigned_item": "tabm_linked", "commit": "tabm_linked", "commit_bundle": "tabm_bundle"}
BUILT = {
    f"{message['name']} {stage}": MESSAGES[message["name"]][form]
    for message in vectors("ans104")["messages"]
    for stage, form in STAGES.items()
    if f"{message['name']} {stage}" in ITEMS
}
DECODED = {name: item for name, item in ITEMS.items() if item.get("decoded", {}).get("message")}

UNSOUND = {"empty-body commit"}
"""HyperBEAM signed another form of this item than it wrote, and verifies it neither."""

CLOSED = {"bundle-list"}
"""A bundle that HyperBEAM itself cannot put together again; here it stays one value."""

TAGS_KEPT = {"lower-target-field-and-target-tag", "duplicate-tags-lower"}
"""HyperBEAM loses tags of these, and cannot verify them once they are read."""

NOT_ASCII = {"unicode-tags"}
SAYS_WHICH_BODY = {"explicit-ao-body-key commit"}
COMMITTED = {name for name, item in ITEMS.items() if item.get("committed_message")} - UNSOUND
TRAVELLING = DECODED.keys() - UNSOUND - NOT_ASCII - SAYS_WHICH_BODY

KEPT = [
    name for name in sorted(TRAVELLING - CLOSED) if "original-tags" in str(DECODED[name]["decoded"])
]


@pytest.mark.parametrize("name", sorted(BUILT.keys() - UNSOUND))
def test_a_message_becomes_the_recorded_item(name: str) -> None:
    """Nested messages and long values are a bundle, byte for byte as HyperBEAM packs it."""
    built, recorded = unsigned_item(tabm(BUILT[name]), item_of), parsed(name)
    assert (built.tags, built.data) == (recorded.tags, recorded.data)
    assert (built.target, built.anchor) == (recorded.target, recorded.anchor)
    assert built.unsigned_id == recorded.unsigned_id


@pytest.mark.parametrize("name", sorted(DECODED.keys() - CLOSED))
def test_an_item_is_the_recorded_message(name: str) -> None:
    """Its bundle is opened, its names are in lower case, and it has the recorded IDs."""
    message, decoded = tabm_of(parsed(name)), DECODED[name]["decoded"]
    assert bare(message) == tabm(decoded["tabm"])
    assert str(unsigned_id(message)) == decoded["ids"]["unsigned"]
    assert str(signed_id(message)) == decoded["ids"]["all"]


@pytest.mark.parametrize("name", sorted(DECODED.keys() - CLOSED))
def test_an_item_has_the_recorded_commitment(name: str) -> None:
    """Every field is HyperBEAM's; the tags as they were are kept where it loses them, too."""
    message, recorded = tabm_of(parsed(name)), DECODED[name]["decoded"]["message"]
    ((identifier, each),) = recorded["commitments"].items()
    found = message[COMMITMENTS]
    assert isinstance(found, Mapping)
    expected = fields(each)
    if name in TAGS_KEPT:
        expected[b"original-tags"] = found[identifier.encode()][b"original-tags"]
    assert found == {identifier.encode(): expected}


@pytest.mark.parametrize("name", sorted(COMMITTED))
def test_an_item_is_the_message_that_was_committed(name: str) -> None:
    """Nested messages inside it are those that HyperBEAM put there, or it has their IDs."""
    message, before = tabm_of(parsed(name)), to_tabm(typed(ITEMS[name]["committed_message"]))
    assert bare(message) in (before, linked(before))
    assert (b"bundle-map" in str(message).encode()) is bool(ITEMS[name]["nested"])


@pytest.mark.parametrize("name", ITEMS)
def test_every_item_comes_back_from_its_message(name: str) -> None:
    """Also those that HyperBEAM cannot put together again."""
    item = parsed(name)
    recorded = ITEMS[name].get("decoded", {}).get("reencoded_equal", True)
    assert recorded is (name not in TAGS_KEPT | CLOSED)
    again = item_of(tabm_of(item))
    assert again is not None
    assert again.encode() == item.encode()


@pytest.mark.parametrize("name", sorted(TRAVELLING))
def test_an_item_travels_inside_httpsig(name: str) -> None:
    """Headers and a body bring its exact bytes, and its signature verifies there."""
    item = parsed(name)
    arrived = from_wire(to_wire(tabm_of(item), bundle=True))
    assert item_of(arrived) == item
    assert [each.id for each in verify(arrived)] == [item.id]
    assert Message.of_tabm(arrived) == Message.decode(item.encode())


@pytest.mark.parametrize("name", KEPT)
def test_an_item_that_hyperbeam_sent_inside_httpsig_is_read(name: str) -> None:
    """Where it keeps the original tags it sends all that is needed to verify the item."""
    sent = from_wire(wire(DECODED[name]["decoded"]["httpsig_wire_bundle"]))
    assert item_of(sent) == parsed(name)


@pytest.mark.parametrize("name", sorted(NOT_ASCII | SAYS_WHICH_BODY))
def test_what_no_header_can_carry_is_refused_when_it_is_written(name: str) -> None:
    """Tags beyond ASCII have no place in a signature field, and HyperBEAM's are unreadable."""
    with pytest.raises(UnsupportedValue):
        to_wire(tabm_of(parsed(name)), bundle=True)


def test_tags_that_say_something_else_than_the_keys_are_refused(user_wallet: Wallet) -> None:
    """What was signed are the original tags; keys beside them are somebody else's words."""
    item = signed(user_wallet, tags=[(b"Action", b"Good")], data=b"d")
    message = tabm_of(item)
    verify(message)
    with pytest.raises(InvalidSignature, match="does not verify"):
        verify({**message, b"action": b"Evil"})
    assert Message.of_tabm({**message, b"action": b"Evil"}).keys[b"action"] == b"Good"


def test_keys_beside_an_item_are_dropped(user_wallet: Wallet) -> None:
    """Nobody signed them, so that they do not reach the message."""
    item = signed(user_wallet, tags=[(b"action", b"Good")])
    message = Message.of_tabm({**tabm_of(item), b"extra": b"x"})
    assert message == Message.decode(item.encode())
    assert b"extra" not in message.keys


def test_a_committed_key_that_is_missing_is_no_item(user_wallet: Wallet) -> None:
    """The tags cannot be put together without it."""
    message = dict(tabm_of(signed(user_wallet, tags=[(b"action", b"Good")])))
    del message[b"action"]
    with pytest.raises(InvalidSignature, match="action"):
        item_of(message)


@pytest.mark.parametrize(
    "rest",
    [
        {b"original-tags": {b"1": b"x"}},
        {b"original-tags": {b"2": {b"name": b"a", b"value": b"b"}}},
        {b"original-tags": {b"1": {b"name": b"a", b"value": {}}}},
        {b"field-target": b"x"},
        {b"field-anchor": {}},
    ],
)
def test_a_malformed_commitment_is_no_item(user_wallet: Wallet, rest: Tabm) -> None:
    """Whatever stands in its fields, the refusal is the same."""
    message = tabm_of(signed(user_wallet, tags=[(b"action", b"Good")]))
    (claim,) = claims_of(message)
    with pytest.raises(InvalidSignature):
        item_of(with_claims(message, (replace(claim, rest=rest),)))


def test_a_signature_of_another_size_is_no_item(user_wallet: Wallet) -> None:
    """Neither the signature nor the key may have another length than its type."""
    message = tabm_of(signed(user_wallet))
    (claim,) = claims_of(message)
    for other in (replace(claim, signature=b"x" * 511), replace(claim, type=b"ethereum")):
        with pytest.raises(InvalidSignature):
            item_of(with_claims(message, (other,)))


@pytest.mark.parametrize("cut", [0, 31, 40, 96, 200, -1])
def test_a_damaged_bundle_stays_one_value(user_wallet: Wallet, cut: int) -> None:
    """An item whose bundle cannot be opened is a message with that data."""
    whole = unsigned_item({b"m": {b"a": b"1"}}, item_of)
    item = ans104.sign(replace(whole, data=whole.data[:cut]), user_wallet)
    message = tabm_of(item)
    assert message.get(b"data", b"") == whole.data[:cut]
    assert item_of(message) == item


def test_bundles_are_opened_so_deep_and_no_deeper(user_wallet: Wallet) -> None:
    """What is nested deeper is kept as it is: each level costs another look at all bytes."""
    inner = signed(user_wallet, data=b"innermost")
    for _ in range(DEEPEST + 2):
        inner = signed(
            user_wallet,
            tags=[(b"bundle-format", b"binary"), (b"bundle-version", b"2.0.0")],
            data=pack_list([inner]),
        )
    message: bytes | Tabm = tabm_of(inner)
    levels = 0
    while isinstance(message, Mapping) and b"1" in message:
        message, levels = message[b"1"], levels + 1
    assert levels == DEEPEST
    assert item_of(tabm_of(inner)) == inner


def test_a_nested_message_is_carried_by_an_item(user_wallet: Wallet) -> None:
    """Maps and lists in a created message are a bundle, and are there again when it is read."""
    message = Message.create({"type": "Message", "m": {"a": 1, "l": ["x", [2]]}}, user_wallet)
    again = Message.decode(message.encoded).tabm
    assert bare(again)[b"m"] == {
        b"a": b"1",
        b"ao-types": b'a="integer"',
        b"l": {
            b"1": b"x",
            b"ao-types": b'.="list"',
            b"2": {b"1": b"2", b"ao-types": b'.="list", 1="integer"'},
        },
    }
    assert [each.committer for each in verify(again)] == [user_wallet.address]


def test_an_item_that_links_is_verified_with_what_it_links_to(user_wallet: Wallet) -> None:
    """A nested message may stand in the place of its ID, if it has that ID."""
    nested = {b"a": b"1"}
    item = signed(user_wallet, tags=list(linked({b"m": nested}).items()))
    message = {b"m": nested, COMMITMENTS: tabm_of(item)[COMMITMENTS]}
    verify(message)
    with pytest.raises(InvalidSignature):
        verify({**message, b"m": {b"a": b"2"}})


def signed(user: Wallet, tags=(), data: bytes = b"") -> ans104.Item:
    return ans104.sign(ans104.unsigned(tags, data), user)


def parsed(name: str) -> ans104.Item:
    return ans104.parse(raw(ITEMS[name]["item_b64u"]))


def bare(message: Tabm) -> Tabm:
    return {
        key: bare(value) if isinstance(value, Mapping) else value
        for key, value in message.items()
        if key != COMMITMENTS
    }


def fields(recorded: Json) -> dict[bytes, bytes | Tabm]:
    texts = {name.encode(): value for name, value in recorded.items()}
    committed = numbered([key.encode() for key in texts.pop(b"committed")])
    original = texts.pop(b"original-tags", None)
    found = {name: value.encode() for name, value in texts.items()}
    if original:
        found[b"original-tags"] = {
            number.encode(): {part.encode(): text.encode() for part, text in tag.items()}
            for number, tag in original.items()
        }
    return {**found, b"committed": committed}
