"""Messages as JSON, compared with HyperBEAM's own replies."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.codecs import json_codec
from protocol.codecs.structured import to_tabm
from protocol.errors import InvalidInput, MalformedItem, TooLarge, UnsupportedValue
from tests.protocol.recorded import raw, tabm, vectors

REPLIES = {
    f"{schedule['name']} {reply['name']}": raw(reply["reply"]["body_b64u"])
    for schedule in vectors("assignments")["schedules"]
    for reply in schedule["replies"]
    if (reply["body_text"] or "").startswith("{") and "aos2" not in reply["name"]
}
BUNDLES = {
    message["name"]: tabm(message["tabm_bundle"])
    for message in vectors("messages")["messages"]
    if "tabm_bundle" in message
}
NO_TEXT = {"non-utf8-value", "non-utf8-body", "id-values"}
"""Messages with bytes that JSON has no way to write."""

JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**16), 10**16) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=10,
)


def test_the_replies_are_all_there() -> None:
    """Schedules, slots and status were recorded as JSON for both processes."""
    assert len(REPLIES) == 12


@pytest.mark.parametrize("name", REPLIES)
def test_a_recorded_reply_comes_back_byte_for_byte(name: str) -> None:
    """Keys in order, no spaces, numbers as numbers, and `ao-types` for atoms alone."""
    assert json_codec.encode(json_codec.decode(REPLIES[name])) == REPLIES[name]


def test_a_reply_is_read_as_the_message_it_is() -> None:
    """Numbers, lists and atoms get their types back."""
    read = json_codec.decode(REPLIES["httpsig-process schedule-json-bundle"])
    assert read[b"ao-types"].split(b", ") == [
        *(b'block-height="integer"', b'continues="atom"', b'status="integer"'),
        b'timestamp="integer"',
    ]
    assert read[b"continues"] == b"false"
    (commitment, *_) = read[b"assignments"][b"0"][b"body"][b"commitments"].values()
    assert commitment[b"committed"][b"ao-types"] == b'.="list"'
    assert commitment[b"committed"][b"1"] == b"ao-types"


@pytest.mark.parametrize("name", sorted(BUNDLES.keys() - NO_TEXT))
def test_every_message_of_text_comes_back(name: str) -> None:
    """Lists, maps, numbers and atoms survive the way through JSON."""
    assert json_codec.decode(json_codec.encode(BUNDLES[name])) == BUNDLES[name]


@pytest.mark.parametrize("name", sorted(NO_TEXT))
def test_bytes_that_are_no_text_are_refused(name: str) -> None:
    """JSON cannot carry them, and nothing is replaced silently."""
    with pytest.raises(UnsupportedValue, match="no text"):
        json_codec.encode(BUNDLES[name])


def test_values_have_their_types_in_json() -> None:
    """What JSON has a type for is of that type; a link stays a link."""
    message = {"i": 1, "f": 1.5, "a": True, "l": [1, True, b"x", []], "m": {"n": None}, "e": {}}
    assert json.loads(json_codec.encode({**to_tabm(message), b"k+link": b"id"})) == {
        "i": 1,
        "f": 1.5,
        "a": "true",
        "l": [1, True, "x", []],
        "e": {},
        "k+link": "id",
        "m": {"n": "null", "ao-types": 'n="atom"'},
        "ao-types": 'a="atom"',
    }


@pytest.mark.parametrize(
    "message",
    [
        {b"k": b"v", b"ao-types": b"no types at all"},
        {b"k": b"v", b"ao-types": b'k="integer"'},
        {b"k": b"9" * 30, b"ao-types": b'k="integer"'},
        {b"k": b"v", b"ao-types": b'k="no-such-type"'},
        {b"2": b"v", b"ao-types": b'.="list"'},
    ],
)
def test_wrong_types_are_shown_as_they_are(message: dict[bytes, bytes]) -> None:
    """Anybody may tag a message with `ao-types`; a page that has it must still be readable."""
    shown = json.loads(json_codec.encode(message))
    assert shown == {key.decode(): value.decode() for key, value in message.items()}


@pytest.mark.parametrize(
    "encoded",
    [
        *(b"", b"[]", b"1", b'"x"', b"null", b"{", b'{"a":1}x', b'{"a":NaN}', b"\xff", b"{'a':1}"),
        *(b'{"ao-types":1}', b'{"ao-types":"x y"}', b'{"m":{"ao-types":[]}}', b'{"a":"\\ud800"}'),
        b"[" * 1_000_000,
        b'{"m":' * 200_000,
    ],
    ids=lambda encoded: repr(encoded[:20]),
)
def test_what_is_no_message_is_refused(encoded: bytes) -> None:
    """Only an object with readable types, nested within reason, is a message."""
    with pytest.raises(MalformedItem):
        json_codec.decode(encoded)


@pytest.mark.parametrize(
    "encoded",
    [
        b'{"m":' * 10 + b"1" + b"}" * 10,
        b'{"m":' + b"[" * 9 + b"]" * 9 + b"}",
        b'{"m":[' + b"1," * 4096 + b"1]}",
        b"{" + b'"m":"%s"' % (b"x" * json_codec.LONGEST) + b"}",
    ],
    ids=["maps", "lists", "values", "bytes"],
)
def test_a_message_that_is_too_large_is_refused(encoded: bytes) -> None:
    """Depth, values and bytes have the bounds of a request."""
    with pytest.raises(TooLarge):
        json_codec.decode(encoded)
    assert json_codec.decode(b'{"m":' * 9 + b"1" + b"}" * 9)


def test_writing_has_a_bound_of_nesting() -> None:
    """A message nested without end does not end the interpreter's stack."""
    message: dict = {}
    for _ in range(5_000):
        message = {b"m": message}
    with pytest.raises(UnsupportedValue, match="deep"):
        json_codec.encode(message)


@pytest.mark.parametrize("number", [b"1000000000000000", b"-1000000000000000", b"1e999"])
def test_a_number_that_no_node_reads_is_refused(number: bytes) -> None:
    """Integers have at most 15 digits, and floats are finite."""
    with pytest.raises(InvalidInput):
        json_codec.decode(b'{"l":[%s]}' % number)


@given(st.dictionaries(st.text(max_size=6), JSONS, max_size=5))
@example({".": None})
def test_any_object_is_read_or_refused(value: dict) -> None:
    """What is read can be written, and is read again as the same message."""
    with suppress(InvalidInput):
        message = json_codec.decode(json.dumps(value).encode())
        assert json_codec.decode(json_codec.encode(message)) == message
