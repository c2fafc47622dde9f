"""No signature stands for two messages, and no message that is taken cannot be read again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocol.codecs import httpsig
from protocol.codecs.ans104 import Item, sign, unsigned
from protocol.codecs.ans104_bundle import FORMAT, MAP, pack
from protocol.codecs.ans104_tabm import tabm_of
from protocol.codecs.commitment_fields import COMPONENTS, claims_of, numbered, with_claims
from protocol.codecs.httpsig_commitment import commit
from protocol.errors import TooLarge, UnsupportedValue
from protocol.message import Message, verify
from protocol.message_ids import unsigned_id
from protocol.tabm import Tabm
from tests.protocol.signed import SIGNER

TARGET = {b"target": SIGNER.address.ascii}
LONG = {b"body": b"short", b"long": b"x" * 5000}


def as_one_body(tabm: Tabm) -> Tabm:
    """The message whose body are the parts of another one."""
    wire = httpsig.encode(tabm)
    return {b"content-type": dict(wire.headers)[b"content-type"], b"body": wire.body}


@pytest.mark.guarantee("S10")
@pytest.mark.parametrize(("a", "b"), [(b'1\n"b": 2', b"3"), (b"1", b'2\n"target": 3')])
def test_a_value_cannot_read_like_the_line_after_it(a, b) -> None:
    """Otherwise its end could be moved into the next value, under the same signature."""
    with pytest.raises(UnsupportedValue, match="reads like the line after"):
        commit({**TARGET, b"a": a, b"b": b}, SIGNER)


def test_line_breaks_that_end_nothing_are_signed() -> None:
    """Texts of several lines are values like any other, also with quotes in them."""
    keys = {**TARGET, b"a": b'{\n"c": 1,\n"b":2\n}\n', b"b": b'\n"a": x'}
    assert verify(Message.of_tabm(commit(keys, SIGNER))).keys == keys


@pytest.mark.guarantee("S10")
def test_parts_in_one_body_are_not_taken_for_the_keys_they_are() -> None:
    """A body of parts and the keys in its parts would be signed, and named, by the same."""
    signed = commit({**TARGET, **LONG}, SIGNER)
    claims = [claim for claim in claims_of(signed) if not claim.is_hmac]
    fields = {**claims[0].fields(), b"committed": numbered((b"body", b"content-type", b"target"))}
    forged = {**TARGET, **as_one_body(TARGET | LONG)}
    forged[b"commitments"] = {claims[0].id.ascii: fields}
    with pytest.raises(UnsupportedValue, match="content-type"):
        Message.of_tabm(forged)
    with pytest.raises(UnsupportedValue, match="content-type"):
        unsigned_id(as_one_body(LONG))


@pytest.mark.guarantee("S10")
@pytest.mark.parametrize(
    ("nested", "added"),
    [
        ({b"a": b"1"}, {b"priv": b"x"}),
        ({b"a": b"1"}, {b"signature": b"x"}),
        ({b"data": b"1"}, {b"ao-body-key": b"data"}),
    ],
)
def test_what_no_link_names_cannot_be_added_to_a_nested_message(nested, added) -> None:
    """The ID of a nested message is over all its keys, or it has none."""
    signed = commit({**TARGET, b"m": nested}, SIGNER)
    verify(Message.of_tabm(signed))
    with pytest.raises(UnsupportedValue):
        Message.of_tabm({**signed, b"m": {**nested, **added}})


@pytest.mark.guarantee("S10")
def test_a_key_that_no_header_carries_is_not_committed() -> None:
    """A list of components says nothing of keys that are never written."""
    signed = commit({**TARGET, b"a": b"1"}, SIGNER)
    (claim,) = (claim for claim in claims_of(signed) if not claim.is_hmac)
    fields = claim.fields() | {
        b"committed": numbered((b"a", b"priv", b"target")),
        COMPONENTS: numbered((b"a", b"target")),
    }
    forged = {**signed, b"priv": b"x", b"commitments": {claim.id.ascii: fields}}
    with pytest.raises(UnsupportedValue, match="priv"):
        Message.of_tabm(forged)


@pytest.mark.guarantee("S10")
def test_hmacs_beside_a_nested_item_leave_no_trace() -> None:
    """A bundle that another signature covers keeps nobody's additions to what is inside."""
    item = Message.create({**{k.decode(): v for k, v in TARGET.items()}, "m": {"a": "1"}}, SIGNER)
    signed = commit(item.tabm, SIGNER)
    plain = Message.of_tabm(signed)
    verify(plain)
    junk = next(claim for claim in claims_of(commit({b"z": b"z"}, SIGNER)) if claim.is_hmac)
    assert Message.of_tabm({**signed, b"m": with_claims({b"a": b"1"}, (junk,))}) == plain


@pytest.mark.guarantee("S10")
@pytest.mark.parametrize("name", [b"bundle", b"tag", b"created"])
def test_a_parameter_that_is_no_text_leaves_no_trace(name) -> None:
    """Only texts are signed: a map under the name of a parameter is somebody's addition."""
    inner = commit({b"says": b"x"}, SIGNER)
    outer = commit({**TARGET, b"m": inner}, SIGNER)
    claims = tuple(replace(each, rest={name: {b"a": b"b"}}) for each in claims_of(inner))
    changed = Message.of_tabm({**outer, b"m": with_claims(inner, claims)})
    verify(changed)
    assert changed == Message.of_tabm(outer)


def bundle(items: dict[bytes, Item]) -> Item:
    data, manifest = pack(items)
    return unsigned((*FORMAT, (MAP, manifest.ascii)), data)


def test_a_message_that_could_not_be_read_back_is_refused() -> None:
    """With a slot, what opens into more parts than are read would hold up its process for ever."""
    few = {b"k%d" % number: unsigned(((b"a", b"1"),)) for number in range(750)}
    item = sign(bundle({**few, b"more": bundle(few)}), SIGNER)
    with pytest.raises(TooLarge, match="parts"):
        Message.of_tabm(commit({**TARGET, b"m": tabm_of(item)}, SIGNER))
