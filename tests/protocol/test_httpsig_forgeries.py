"""What others than the signer can do to a message that is signed with httpsig: nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.codecs import multipart
from protocol.codecs.commitment_fields import claims_of, with_claims
from protocol.codecs.httpsig_commitment import commit, from_wire
from protocol.codecs.httpsig_commitment import verify as verify_commitments
from protocol.codecs.signatures import ED25519
from protocol.codecs.wire import Wire
from protocol.errors import InvalidInput, InvalidSignature, UnsupportedSignature
from protocol.message import Message, verify
from protocol.message_ids import MAX_COMMITTERS, signed_id
from protocol.tabm import COMMITMENTS, Tabm
from tests.protocol.signed import KEYS, NESTED, SAMPLE, SIGNER, inside

ITEM = Message.create({"Type": "Process", "data": "x", "m": {"a": 1}}, SIGNER)
FIELDS = [b"commitment-device", b"type", b"keyid", b"committer", b"signature", b"committed"]
FIELDS += [b"bundle", b"tag", b"created", b"components", b"ao-types", b"other"]
FIELDS += [b"original-tags", b"field-target", b"field-anchor", b"bundle-format", b"bundle-map"]
TEXTS = st.binary(max_size=8) | st.sampled_from(
    [b"true", b"hmac-sha256", b"ans104@1.0", b"publickey:", b"7", b"1", b"type", b"data"]
)
VALUES = st.recursive(
    TEXTS,
    lambda inner: st.dictionaries(
        st.sampled_from([b"1", b"2", b"name", b"value", b"ao-types", b"x"]), inner, max_size=3
    ),
    max_leaves=4,
)


@pytest.mark.parametrize("key", [b"bundle", b"tag", b"nonce", b"created", b"expires"])
def test_a_signed_parameter_cannot_be_added(plain, key) -> None:
    """The parameters that a signature is over are part of what it is over."""
    claims = tuple(replace(claim, rest={key: b"17"}) for claim in claims_of(plain))
    with pytest.raises(InvalidSignature, match="does not verify"):
        verify(Message.of_tabm(with_claims(plain, claims)))


@pytest.mark.parametrize("key", [b"type", b"action", b"data", b"target"])
def test_a_changed_key_is_noticed(plain, key) -> None:
    """No signed value can be another one, valid as it may be."""
    with pytest.raises(InvalidSignature, match="does not verify"):
        verify(Message.of_tabm({**plain, key: b"A" * 43}))


@pytest.mark.parametrize("form", ["linking", "bundling"])
def test_a_changed_nested_message_is_noticed(form, request) -> None:
    """Also where only its ID was signed."""
    tabm = request.getfixturevalue(form)
    for nested in ({b"a": b"2"}, {**NESTED, b"c": b"3"}, {**NESTED, b"deeper": {}}):
        with pytest.raises(InvalidSignature, match="does not verify"):
            verify(Message.of_tabm({**tabm, b"m": nested}))


def test_a_nested_message_that_claims_a_signature_has_to_have_it(
    user_wallet, wallet, target
) -> None:
    """A link is the ID of a signature, which says nothing of the keys that stand there."""
    inner = commit({b"says": b"the truth"}, wallet)
    outer = commit({**KEYS, b"target": target, b"m": inner}, user_wallet)
    verify(Message.of_tabm(outer))
    with pytest.raises(InvalidSignature, match="does not verify"):
        verify(Message.of_tabm({**outer, b"m": {**inner, b"says": b"a lie"}}))
    kept = Message.of_tabm({**outer, b"m": {**inner, b"extra": b"x"}})
    assert kept == Message.of_tabm(outer)
    assert b"extra" not in inside(kept.tabm, b"m")


def test_a_nested_item_is_linked_by_its_id(user_wallet, wallet, target) -> None:
    """A message signed as an item stands in one signed with httpsig, and is verified there."""
    inner = Message.create({"says": "the truth", "Case": "kept"}, wallet)
    for bundle in (False, True):
        outer = commit({**KEYS, b"target": target, b"m": inner.tabm}, user_wallet, bundle=bundle)
        message = Message.decode(Message.of_tabm(outer).encoded, "httpsig")
        assert verify(message).message_id == signed_id(outer)
        assert Message.of_tabm(inside(message.tabm, b"m")) == inner
        lie = {**outer, b"m": {**inner.tabm, b"says": b"a lie"}}
        with pytest.raises(InvalidSignature):
            verify_commitments(lie)
        # The item's own tags are in its commitment, and what is kept is read from those.
        assert bundle or Message.of_tabm(lie) == Message.of_tabm(outer)


@pytest.mark.guarantee("S10")
def test_an_hmac_alone_proves_nothing(plain) -> None:
    """A message that only everybody could have signed is not signed."""
    alone = with_claims(plain, tuple(claim for claim in claims_of(plain) if claim.is_hmac))
    for tabm in (alone, {**KEYS}):
        with pytest.raises(InvalidSignature, match="nobody signed"):
            Message.of_tabm(tabm)
        with pytest.raises(InvalidSignature, match="nobody signed"):
            verify_commitments(tabm)


def test_an_hmac_that_names_a_committer_is_still_none(plain, user_wallet) -> None:
    """Saying who made it does not make it a signature."""
    (mac,) = (claim for claim in claims_of(plain) if claim.is_hmac)
    fields = {**mac.fields(), b"committer": user_wallet.address.ascii}
    with pytest.raises(InvalidSignature, match="nobody signed"):
        Message.of_tabm({**plain, COMMITMENTS: {mac.id.ascii: fields}})


@pytest.mark.guarantee("S10")
def test_every_signature_has_to_verify(plain, wallet) -> None:
    """One good signature does not cover for a bad one."""
    other = commit({**KEYS, b"target": wallet.address.ascii, b"action": b"Pong"}, wallet)
    mixed = with_claims(plain, (*claims_of(plain), *claims_of(other)))
    with pytest.raises(InvalidSignature, match="does not verify"):
        verify(Message.of_tabm(mixed))


def test_a_stripped_signature_makes_another_message(plain, wallet) -> None:
    """Less signatures are another ID, so that nobody can pass one off for the other."""
    both = commit(plain, wallet)
    assert verify(Message.of_tabm(plain)).message_id != verify(Message.of_tabm(both)).message_id


def test_signers_of_different_keys_are_refused(user_wallet, wallet) -> None:
    """What only one of them signed would stand there in the name of both."""
    tabm = commit({b"a": b"1", b"b": b"2"}, user_wallet)
    both = commit(tabm, wallet, committed=[b"a"])
    with pytest.raises(InvalidSignature, match="different keys"):
        Message.of_tabm(both)


def test_at_most_four_sign_a_message(plain, user_wallet) -> None:
    """More are refused before any signature or sum is looked at."""
    full = plain
    for _ in range(MAX_COMMITTERS - 1):
        full = commit(full, user_wallet)
    assert len(verify(Message.of_tabm(full)).committers) == MAX_COMMITTERS
    with pytest.raises(InvalidSignature, match="at most 4"):
        commit(full, user_wallet)
    tabm = with_claims(full, (*claims_of(full), *claims_of(commit(KEYS, user_wallet))))
    for read in (Message.of_tabm, verify_commitments, signed_id):
        with pytest.raises(InvalidSignature, match="at most 4"):
            read(tabm)


def test_a_committed_list_that_lies_is_refused(plain) -> None:
    """A key that is named but not signed, or signed but not named, breaks the signature."""
    named = {**plain, b"extra": b"x"}
    for more, less in ((b"extra",), 0), ((), 1), ((), 9):
        claims = tuple(
            replace(each, committed=(*each.committed[less:], *more)) for each in claims_of(named)
        )
        with pytest.raises(InvalidInput):
            verify(Message.of_tabm(with_claims(named, claims)))


def test_a_committed_key_has_to_be_there(plain) -> None:
    """A signature over a key that was taken away is over another message."""
    for key in KEYS:
        less = {name: value for name, value in plain.items() if name != key}
        with pytest.raises(InvalidSignature, match="not there"):
            Message.of_tabm(less)


def test_the_order_of_a_committed_list_is_signed(plain) -> None:
    """Another order is another signature base."""
    claims = tuple(replace(c, committed=c.committed[::-1]) for c in claims_of(plain))
    with pytest.raises(InvalidSignature):
        verify(Message.of_tabm(with_claims(plain, claims)))


def break_id(fields: dict[bytes, bytes | Tabm]) -> None:
    fields[b"signature"] = b"A" * 683


def break_committer(fields: dict[bytes, bytes | Tabm]) -> None:
    fields[b"committer"] = b"A" * 43


def break_list(fields: dict[bytes, bytes | Tabm]) -> None:
    fields[b"committed"] = {b"1": b"a", b"3": b"b", b"ao-types": b'.="list"'}


def repeat_key(fields: dict[bytes, bytes | Tabm]) -> None:
    fields[b"committed"] = {b"1": b"a", b"2": b"a", b"ao-types": b'.="list"'}


def nest_signature(fields: dict[bytes, bytes | Tabm]) -> None:
    fields[b"signature"] = {b"a": b"b"}


def break_key(fields: dict[bytes, bytes | Tabm]) -> None:
    fields[b"keyid"] = b"publickey:!"
    del fields[b"committer"]


def take_type(fields: dict[bytes, bytes | Tabm]) -> None:
    del fields[b"type"]


@pytest.mark.parametrize(
    "break_it",
    [break_id, break_committer, break_list, repeat_key, nest_signature, break_key, take_type],
)
def test_a_malformed_commitment_is_refused(
    plain, break_it: Callable[[dict[bytes, bytes | Tabm]], None]
) -> None:
    """Its fields have to be complete and to belong together, before anything is verified."""
    (claim,) = (claim for claim in claims_of(plain) if not claim.is_hmac)
    fields = claim.fields()
    break_it(fields)
    with pytest.raises(InvalidSignature):
        Message.of_tabm({**plain, COMMITMENTS: {claim.id.ascii: fields}})


def test_a_commitment_of_an_unknown_kind_is_refused(plain) -> None:
    """What cannot be verified is not passed over: the ID would count it."""
    for change in ({"device": b"secret@1.0"}, {"type": b"ed25519"}):
        claims = tuple(replace(c, **change) for c in claims_of(plain) if not c.is_hmac)
        with pytest.raises(UnsupportedSignature):
            verify(Message.of_tabm(with_claims(plain, claims)))


def test_types_that_are_not_accepted_are_refused_before_they_are_verified(wallet) -> None:
    """A commitment as an item is bound by the same choice as an item."""
    item = Message.create({name.decode(): text.decode() for name, text in KEYS.items()}, wallet)
    both = commit({**item.tabm, b"target": wallet.address.ascii}, wallet)
    assert len(verify_commitments(both)) == 2
    with pytest.raises(UnsupportedSignature, match="rsa-pss-sha256"):
        verify(Message.of_tabm({**both, b"type": b"Process"}), accept={ED25519})


@pytest.mark.parametrize("time", [b"", b"soon", b"-1", b"1" * 16, b"1.5"])
def test_a_time_that_is_none_is_refused(plain, time) -> None:
    """The times of a signature are numbers that its field can carry."""
    claims = tuple(replace(claim, rest={b"created": time}) for claim in claims_of(plain))
    with pytest.raises(InvalidSignature, match="time"):
        Message.of_tabm(with_claims(plain, claims))


def test_commitments_cannot_be_sent_as_keys(plain) -> None:
    """Neither a header nor a part of the body brings a commitment; the signature fields do."""
    fields = next(claim for claim in claims_of(plain) if not claim.is_hmac).fields()
    fake = {key: value for key, value in fields.items() if isinstance(value, bytes)}
    body = multipart.encode({b"commitments/x": fake, b"a": b"b"}, b"body")
    sent = Wire(((b"content-type", body.content_type), (b"commitments", b"y")), body.body)
    assert from_wire(sent) == {b"a": b"b"}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_stands_in_a_commitment_is_judged(data) -> None:
    """Fields of any shape are refused, or the message is the one that was signed."""
    tabm = data.draw(st.sampled_from([SAMPLE.tabm, ITEM.tabm]))
    name = data.draw(st.sampled_from(sorted(inside(tabm, COMMITMENTS))))
    fields = dict(inside(tabm, COMMITMENTS, name))
    fields[data.draw(st.sampled_from(FIELDS))] = data.draw(VALUES)
    changed = {**tabm, COMMITMENTS: {**inside(tabm, COMMITMENTS), name: fields}}
    try:
        taken = verify(Message.of_tabm(changed))
    except InvalidInput:
        return
    assert taken.message_id == signed_id(tabm)
    assert taken.encoded in (SAMPLE.encoded, ITEM.encoded)


@pytest.mark.guarantee("S10")
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_changed_byte_makes_another_verified_message(data) -> None:
    """Damage to the stored bytes is refused, or changes nothing that was signed."""
    message = SAMPLE
    at = data.draw(st.integers(0, len(message.encoded) - 1))
    damaged = bytearray(message.encoded)
    damaged[at] ^= data.draw(st.integers(1, 255))
    try:
        taken = verify(Message.decode(bytes(damaged), "httpsig"))
    except InvalidInput:
        return
    assert (taken.message_id, taken.encoded) == (message.id, message.encoded)
