"""Messages signed with httpsig: how they are taken, kept and created."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.codecs.commitment_fields import claims_of, with_claims
from protocol.codecs.httpsig_commitment import commit, from_wire, to_wire
from protocol.codecs.httpsig_commitment import verify as verify_commitments
from protocol.codecs.structured import to_tabm
from protocol.codecs.wire import Wire
from protocol.errors import MalformedItem, NoTarget, TooLarge, UnsupportedValue
from protocol.message import Message, verify
from protocol.message_ids import bundled, linked, signed_id, unsigned_id
from protocol.tabm import COMMITMENTS, Tabm
from tests.protocol.recorded import vectors, wire
from tests.protocol.signed import KEYS, SIGNER, inside


@pytest.mark.parametrize("form", ["plain", "linking", "bundling"])
def test_a_signed_message_is_taken(form, request, user_wallet, wallet) -> None:
    """It has the sum of its signatures' IDs, its keys, its signer and its process."""
    tabm = request.getfixturevalue(form)
    taken = verify(Message.of_tabm(tabm))
    assert taken.message_id == signed_id(tabm)
    assert (taken.committers, taken.process) == ((user_wallet.address,), wallet.address)
    assert (taken.codec, taken.path, taken.is_process) == ("httpsig", b"compute", False)
    assert taken.keys == {**KEYS, b"target": wallet.address.ascii}


@pytest.mark.parametrize("form", ["plain", "linking", "bundling"])
def test_what_is_stored_is_the_message_again(form, request) -> None:
    """Its bytes decode to an equal message with equal bytes, and verify."""
    message = Message.of_tabm(request.getfixturevalue(form))
    again = Message.decode(message.encoded, "httpsig")
    assert (again, again.tabm, again.keys) == (message, message.tabm, message.keys)
    assert again.commitments == message.commitments
    assert verify(again) == verify(message)


@pytest.mark.parametrize("form", ["plain", "linking", "bundling"])
@pytest.mark.parametrize("bundle", [True, False])
def test_a_message_is_the_same_however_it_travels(form, bundle, request) -> None:
    """Linked or in full, the same signature verifies, and the ID is the same."""
    tabm = request.getfixturevalue(form)
    if form == "bundling" and not bundle:
        return
    arrived = from_wire(to_wire(tabm, bundle=bundle))
    assert verify(Message.of_tabm(arrived)).message_id == signed_id(tabm)


@pytest.mark.parametrize(
    "added",
    [
        {b"extra": b"x"},
        {b"extra": {b"nested": b"x"}},
        {b"x": b"y" * 5000},
        {b"scheduler": b"me", b"path": b"evil"},
        {b"body": b"another body"},
        {b"content-type": b"text/html"},
    ],
)
def test_keys_that_nobody_signed_are_dropped(plain, added) -> None:
    """Whatever stands beside a signed message leaves no trace in its keys or bytes."""
    assert Message.of_tabm({**plain, **added}) == Message.of_tabm(plain)
    assert Message.of_tabm({**plain, **added}).keys == Message.of_tabm(plain).keys


def test_keys_added_on_the_wire_are_dropped(plain) -> None:
    """Neither a header nor a query key reaches the message when no signature names it."""
    sent = to_wire(plain, bundle=True)
    more = Wire((*sent.headers, (b"extra", b"x"), (b"accept", b"application/json")), sent.body)
    assert Message.of_tabm(from_wire(more)) == Message.of_tabm(plain)


def test_a_repeated_or_missing_hmac_changes_nothing(plain) -> None:
    """HMACs are made anew: everybody has their key, and none says who sent the message."""
    (signed,) = (claim for claim in claims_of(plain) if not claim.is_hmac)
    others = claims_of(commitment_of({b"other": b"x"}))
    for claims in ((signed,), (signed, *others)):
        assert Message.of_tabm(with_claims(plain, claims)) == Message.of_tabm(plain)


def test_fields_beside_a_signature_are_dropped(plain) -> None:
    """What of a commitment is not signed cannot make other bytes of the same message."""
    claims = tuple(
        replace(claim, rest={**claim.rest, b"extra": b"x", b"more": {b"a": b"b"}})
        for claim in claims_of(plain)
    )
    assert Message.of_tabm(with_claims(plain, claims)) == Message.of_tabm(plain)


def test_several_signers_add_up(plain, user_wallet, wallet) -> None:
    """The message has the sum of their IDs, and each of them is named."""
    both = commit(plain, wallet)
    taken = verify(Message.of_tabm(both))
    assert set(taken.committers) == {user_wallet.address, wallet.address}
    assert taken.message_id == signed_id(both) != signed_id(plain)
    assert unsigned_id(both) == unsigned_id(plain)


def test_a_process_is_its_own_target(user_wallet) -> None:
    """A message of type Process is for itself, one of another type needs a target."""
    process = Message.create({"Type": "x", "type": "Process"}, user_wallet, "httpsig")
    assert verify(process).process == process.id
    with pytest.raises(NoTarget):
        verify(Message.create({"type": "Message"}, user_wallet, "httpsig"))


def test_nested_values_are_created_and_signed_in_full(user_wallet, wallet) -> None:
    """A created message carries its maps and lists with their types."""
    keys = {"type": "Message", "target": str(wallet.address), "m": {"n": 1, "l": [True, "x"]}}
    message = Message.create(keys, user_wallet, "httpsig")
    verify(message)
    assert all(claim.bundle for claim in claims_of(message.tabm))
    assert inside(message.tabm, b"m", b"l") == to_tabm({"m": [True, "x"]})[b"m"]


@pytest.mark.parametrize(
    ("nested", "is_committed"),
    [
        ({b"a": b"1"}, True),
        ({b"a.": b"x", b"ao-types": b'a.="list"'}, True),
        ({b"1": b"x", b"ao-types": b'.="list"'}, False),
        ({b"1": b"2", b"ao-types": b'1="integer", .="list"'}, False),
        ({}, False),
    ],
)
def test_nested_messages_are_bundled_with_their_names(nested: Tabm, is_committed: bool) -> None:
    """Each carries the HMAC that names it; lists and empty messages have none."""
    inner = inside(bundled({b"m": nested}), b"m")
    assert (COMMITMENTS in inner) is is_committed
    assert signed_id(inner) == unsigned_id(inner) == unsigned_id(nested)


def test_a_nested_message_is_either_inside_or_linked() -> None:
    """With both nobody could tell which of them was signed."""
    with pytest.raises(MalformedItem, match="both"):
        linked({b"m": {}, b"m+link": b"x"})


@pytest.mark.parametrize("key", ["@path", "@", "clé", "a b", 'q"', "Action", "a@b", "x" * 43])
def test_any_name_of_a_key_can_be_signed(user_wallet, key) -> None:
    """What a signature field cannot carry as it is, it carries escaped."""
    message = Message.create({key: "value", "type": "Process"}, user_wallet, "httpsig")
    again = Message.decode(message.encoded, "httpsig")
    assert verify(again).keys == {key.encode(): b"value", b"type": b"Process"}


@pytest.mark.parametrize("key", ["ao-body-key", "content-digest"])
def test_what_cannot_be_read_back_is_not_signed(user_wallet, key) -> None:
    """Keys that say something about the body would be taken for that."""
    with pytest.raises(UnsupportedValue):
        Message.create({key: "data", "data": "x"}, user_wallet, "httpsig")


def test_more_keys_than_hyperbeam_orders_are_not_signed(user_wallet) -> None:
    """Above 32 headers nobody could verify what we sign."""
    with pytest.raises(UnsupportedValue, match="33"):
        Message.create({f"key-{n}": "x" for n in range(33)}, user_wallet, "httpsig")


def test_a_message_in_an_order_of_its_own_is_kept() -> None:
    """More than 32 keys come in the order of their signer, which is stored with them."""
    recorded = vectors("messages")["messages"]
    (entry,) = (each for each in recorded if each["name"] == "keys-33-hamt-order")
    message = Message.of_tabm(from_wire(wire(entry["signed"]["wire"])))
    verify_commitments(Message.decode(message.encoded, "httpsig").tabm)


def test_a_huge_message_is_refused(user_wallet) -> None:
    """Ten megabytes are the most, as for an item."""
    with pytest.raises(TooLarge):
        Message.create({"data": b"x" * (10 << 20)}, user_wallet, "httpsig")


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True).filter(
            lambda name: name not in ("ao-types", "ao-body-key", "content-type", "priv")
        ),
        st.text(max_size=20) | st.integers(-9, 9) | st.binary(max_size=20),
        max_size=8,
    )
)
def test_whatever_is_created_comes_back(keys) -> None:
    """Any text, number or bytes under any name survives storage, and verifies."""
    message = Message.create(keys, SIGNER, "httpsig")
    again = Message.decode(message.encoded, "httpsig")
    assert {**again.tabm, COMMITMENTS: {}} == {**to_tabm(keys), COMMITMENTS: {}}
    verify_commitments(again.tabm)


def commitment_of(tabm: Tabm) -> Tabm:
    """The same with nothing but an HMAC."""
    signed = commit(tabm, SIGNER)
    return with_claims(tabm, tuple(claim for claim in claims_of(signed) if claim.is_hmac))
