"""Messages as headers and a body: what holds for every message."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codecs import httpsig, portable
from protocol.codecs.body_parts import REQUEST
from protocol.codecs.wire import Wire
from protocol.errors import InvalidInput, MalformedItem, UnsupportedValue
from protocol.tabm import Tabm
from tests.protocol.tabms import KEYS, TABMS, VALUES

HEADER_NAMES = st.sampled_from(
    [b"content-type", b"ao-body-key", b"signature-input", b"content-digest", b"k", b"%6b", b"K"]
)
HEADER_VALUES = st.sampled_from(
    [b'multipart/form-data; boundary="B"', b"multipart/x", b"data", b'c=("content-digest")', b"v"]
)
PIECES = st.sampled_from(
    [
        *(b"--B\r\n", b"\r\n--B\r\n", b"\r\n--B--", b"\r\n", b"k: v", b": ", b"/", b"body"),
        *(b"content-disposition: inline", b'content-disposition: form-data;name="m"', b"\x00\xff"),
        *(b'content-disposition: form-data; name="m/n"', b"ao-types: empty-message", b"data: x"),
    ]
)
WIRES = st.builds(
    Wire,
    st.lists(st.tuples(HEADER_NAMES, HEADER_VALUES), max_size=4).map(tuple),
    st.lists(PIECES, max_size=14).map(b"".join),
)


@given(TABMS)
def test_a_message_comes_back_or_is_refused(message: Tabm) -> None:
    """No message is written so that another one is read, which a signature would cover too."""
    with suppress(UnsupportedValue):
        written = httpsig.encode(message)
        if written.body or b"body" not in message:
            assert httpsig.decode(written) == message


@given(TABMS.filter(bool), st.data())
def test_two_messages_never_sign_alike(one: Tabm, data: st.DataObject) -> None:
    """A message has other fields to sign than it has without one of its keys, empty or not."""
    missing = data.draw(st.sampled_from(sorted(one)))
    other = {key: value for key, value in one.items() if key != missing}
    with suppress(UnsupportedValue):
        assert httpsig.fields_to_sign(one) != httpsig.fields_to_sign(other)


@given(TABMS)
def test_a_message_travels_or_is_refused(message: Tabm) -> None:
    """The portable form comes back from headers that every server lets through."""
    try:
        travelling = portable.encode(message)
    except UnsupportedValue:
        assert any(isinstance(value, dict) for value in message.values())
        return
    assert httpsig.decode(through_a_server(travelling)) == message
    assert Wire.parse(travelling.encode()) == travelling


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_a_message_without_nested_ones_always_travels(message: Tabm) -> None:
    """Any bytes under any keys arrive."""
    assert httpsig.decode(through_a_server(portable.encode(message))) == message


@given(WIRES)
def test_whatever_arrives_is_read_or_refused(wire: Wire) -> None:
    """Nothing but refusals is raised, and what was read is a message that can be sent on."""
    with suppress(InvalidInput):
        message = httpsig.decode(wire)
        travelling = portable.encode(message)
        assert httpsig.decode(travelling) == message


@given(st.binary(max_size=80))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    """Random bytes after a boundary raise nothing but refusals."""
    headers = ((b"content-type", b"multipart/form-data; boundary=B"),)
    with suppress(InvalidInput):
        httpsig.decode(Wire(headers, b"--B\r\n" + body + b"\r\n--B--"))


def test_repeated_headers_are_one_value() -> None:
    """Fields of one name are joined as HTTP does, and spelling a name in two ways is refused."""
    assert httpsig.decode(Wire(((b"k", b"1"), (b"k", b"2")))) == {b"k": b"1, 2"}
    with pytest.raises(MalformedItem, match="twice"):
        httpsig.decode(Wire(((b"k", b"1"), (b"%6b", b"2"))))


def test_a_part_goes_before_a_header() -> None:
    """What the sender put into the body wins over what servers on the way add as headers."""
    written = portable.encode({b"date": b"mine", b"k": b"v"})
    added = Wire((*written.headers, (b"date", b"a server's")), written.body)
    assert httpsig.decode(added) == {b"date": b"mine", b"k": b"v"}


@pytest.mark.parametrize("name", [b"commitments", b"Commitments", b"%63ommitments"])
def test_commitments_come_from_signatures_alone(name: bytes) -> None:
    """A header that calls itself commitments, however spelled, is none."""
    assert b"commitments" not in httpsig.decode(Wire(((name, b"x"),)))


def test_a_part_called_commitments_is_none() -> None:
    """Commitments of the message itself do not come in its body."""
    written = httpsig.encode({b"commitment": {b"id": {b"type": b"x"}}, b"k": b"v"})
    forged = Wire(written.headers, written.body.replace(b'"commitment/', b'"commitments/'))
    assert httpsig.decode(forged) == {b"k": b"v"}


def test_a_request_has_the_bounds_of_a_request() -> None:
    """More than 64 nested messages are refused unless somebody says otherwise."""
    many = httpsig.encode({b"%d" % n: {b"k": b"v"} for n in range(REQUEST.parts + 1)})
    with pytest.raises(InvalidInput, match="64 parts"):
        httpsig.decode(many)


def test_headers_that_http_obeys_are_never_written() -> None:
    """A message cannot set cookies, redirect, or say how long the reply is."""
    keys = [b"set-cookie", b"location", b"content-length", b"transfer-encoding", b"connection"]
    keys += [b"access-control-allow-credentials", b"x-accel-redirect", b"sec-anything"]
    written = portable.encode(dict.fromkeys(keys, b"x"))
    assert dict(written.headers).keys() == {b"content-type", b"content-digest"}
    assert httpsig.decode(written) == dict.fromkeys(keys, b"x")


def test_a_type_of_the_message_does_not_become_that_of_its_parts() -> None:
    """A message with a content type and nested messages keeps both."""
    message = {b"content-type": b"text/plain", b"body": b"x", b"m": {b"k": b"v"}}
    written = portable.encode(message)
    assert dict(written.headers)[b"content-type"].startswith(b"multipart/form-data")
    assert httpsig.decode(written) == message
    assert dict(portable.encode({b"content-type": b"text/plain", b"body": b"x"}).headers)[
        b"content-type"
    ] == (b"text/plain")


def through_a_server(wire: Wire) -> Wire:
    """What arrives: names in lower case, values without spaces around them."""
    for name, value in wire.headers:
        assert name.lower() == name
        assert not {*b'\r\n\x00 /:"'} & {*name}
        assert not {*b"\r\n\x00"} & {*value}
    return Wire(
        tuple((name.lower(), value.strip(b" \t")) for name, value in wire.headers), wire.body
    )
