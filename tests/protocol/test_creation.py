"""Building messages: what goes where, and what is refused instead of being bent."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from protocol.codecs import ans104, ao_types
from protocol.codecs.ans104_keys import item_of, keys_of
from protocol.codecs.scalars import MAX_INTEGER
from protocol.codecs.structured import Atom, to_tabm
from protocol.errors import Refused, TooLarge, UnsupportedValue
from protocol.ids import digest_id
from protocol.message import Message, verify
from protocol.wallet import Wallet

TARGET = digest_id(b"target")
FIELDS = {"data", "body", "target", "anchor", "ao-data-key", "ao-types"}
BUNDLE_TAGS = {"bundle-format", "bundle-version", "bundle-map"}
VALUES = st.one_of(
    st.text(max_size=40),
    st.binary(max_size=40),
    st.integers(-MAX_INTEGER, MAX_INTEGER),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.text("abc_", min_size=1).map(Atom),
)


@given(st.dictionaries(st.text(min_size=1, max_size=40), VALUES, max_size=20))
def test_what_is_built_reads_back(keys) -> None:
    """Typed keys survive building, encoding, parsing and decoding; only case is lost."""
    lowered = {name.encode().lower() for name in keys}
    assume(len(lowered) == len(keys))
    assume(not lowered & {name.encode() for name in FIELDS | BUNDLE_TAGS})
    tabm = to_tabm(keys)
    expected = {name.lower(): value for name, value in tabm.items()}
    if b"ao-types" in expected:
        expected[b"ao-types"] = ao_types.lower_keys(expected[b"ao-types"])
    assert keys_of(ans104.parse(item_of(tabm).encode())) == expected


@given(st.dictionaries(st.binary(max_size=1100), st.binary(max_size=3100), max_size=5))
def test_what_is_built_is_canonical(keys: dict[bytes, bytes]) -> None:
    """Whatever the keys, the item is one that bundlers take, or building is refused."""
    try:
        item = item_of(keys)
    except Refused:
        return
    assert ans104.parse(item.encode()).flaw == ""


def test_ids_go_into_fields_and_other_text_into_tags(user_wallet: Wallet) -> None:
    """`target` and `anchor` are fields where they are IDs; else they are tags like any other."""
    keys = {"target": str(TARGET), "anchor": "not an ID", "data": b"\0\1", "Action": "Eval"}
    item = Message.create(keys, user_wallet).item
    assert (item.target, item.anchor, item.data) == (TARGET, b"", b"\0\1")
    assert item.tags == ((b"Action", b"Eval"), (b"anchor", b"not an ID"))


def test_a_created_message_verifies(user_wallet: Wallet) -> None:
    """What `create` makes is what `verify` takes."""
    message = Message.create({"Type": "Process", "Count": 3}, user_wallet)
    verified = verify(message)
    assert verified.message_id == message.id == verified.process
    assert verified.keys == {b"type": b"Process", b"count": b"3", b"ao-types": b'count="integer"'}


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ({"n": MAX_INTEGER + 1}, UnsupportedValue),
        ({"n": -MAX_INTEGER - 1}, UnsupportedValue),
        ({"": "x"}, UnsupportedValue),
        ({"n" * 1025: "x"}, UnsupportedValue),
        ({"v": "x" * 3073}, UnsupportedValue),
        ({"ao-types": "x"}, UnsupportedValue),
        ({f"key-{number}": "" for number in range(129)}, TooLarge),
        ({"a": "x" * 3000, "b": "x" * 3000}, TooLarge),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_no_tag_can_carry_is_refused(keys, error, user_wallet: Wallet) -> None:
    """Limits are named before anything is signed."""
    with pytest.raises(error):
        Message.create(keys, user_wallet)


def test_the_largest_integer_is_taken(user_wallet: Wallet) -> None:
    """Fifteen digits are the most that every parser reads."""
    message = Message.create({"n": MAX_INTEGER}, user_wallet)
    assert message.keys[b"n"] == b"999999999999999"


def test_empty_data_is_no_data(user_wallet: Wallet) -> None:
    """Neither `data` nor `body` comes back when it was empty."""
    assert Message.create({"data": ""}, user_wallet).keys == {}
    assert Message.create({"body": "b", "data": ""}, user_wallet).keys == {b"body": b"b"}


def test_the_longest_tags_are_built(user_wallet: Wallet) -> None:
    """A name of 1,024 bytes and a value of 3,072 go into a tag."""
    for keys in ({"n" * 1024: "x"}, {"v": "x" * 3072}):
        message = Message.create(keys, user_wallet)
        assert message.item.tags == tuple((k.encode(), v.encode()) for k, v in keys.items())


def test_data_beside_another_data_key_is_a_tag() -> None:
    """Where `ao-data-key` names another key, `data` is a key like any other, unless empty."""
    keys = {b"ao-data-key": b"body", b"body": b"b"}
    item = item_of(keys | {b"data": b"d"})
    assert (item.data, item.tags) == (b"b", ((b"ao-data-key", b"body"), (b"data", b"d")))
    assert keys_of(item) == {b"body": b"b", b"data": b"d"}
    assert item_of(keys | {b"data": b""}) == item_of(keys)
