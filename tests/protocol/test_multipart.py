"""Bodies of several parts: as recorded, and whatever else may arrive."""

from __future__ import annotations

import pytest

from protocol.codecs import httpsig, multipart, portable
from protocol.codecs.body_parts import Bounds, group, ungroup
from protocol.codecs.multipart import Multipart
from protocol.codecs.wire import Wire
from protocol.errors import MalformedItem, TooLarge, UnsupportedValue
from tests.protocol.recorded import tabm, vectors, wire

ENCODED = {entry["name"]: entry for entry in vectors("multipart")["encode"]}
FOREIGN = {entry["name"]: entry for entry in vectors("multipart")["decode_only"]}
LOST = {
    "nested-multiline-crlf": "l1\r\nl2 would be two lines",
    "odd-part-names": "a quotation mark ends the name",
}
"""What HyperBEAM writes and cannot read itself."""

FLAT = vectors("structured")["flat"]
SILENT = {"empty-body"}
"""An empty body of which nobody says that it is one."""

CONTENT_TYPE = b'multipart/form-data; boundary="B"'
SMALL = Bounds(parts=4, depth=3, lines=8)


@pytest.mark.parametrize("name", sorted(ENCODED.keys() - LOST))
def test_a_body_is_written_as_recorded(name: str) -> None:
    """Names, order, boundary and digest are HyperBEAM's, byte for byte."""
    assert httpsig.encode(tabm(ENCODED[name]["tabm"])) == wire(ENCODED[name]["wire"])


@pytest.mark.parametrize("name", sorted(ENCODED.keys() - LOST - SILENT))
def test_a_written_body_is_read_as_recorded(name: str) -> None:
    """Parts become nested messages and long values again."""
    assert httpsig.decode(wire(ENCODED[name]["wire"])) == tabm(ENCODED[name]["decoded_tabm"])


@pytest.mark.parametrize("name", LOST)
def test_what_would_be_lost_is_refused_in_both_directions(name: str) -> None:
    """A value that reads back as another one is never signed, and never guessed at."""
    with pytest.raises(UnsupportedValue):
        httpsig.encode(tabm(ENCODED[name]["tabm"]))
    with pytest.raises(MalformedItem):
        httpsig.decode(wire(ENCODED[name]["wire"]))


@pytest.mark.parametrize("name", ENCODED)
def test_the_portable_form_loses_nothing(name: str) -> None:
    """What the signed form cannot carry is a part of its own when it travels."""
    message = tabm(ENCODED[name]["tabm"])
    assert httpsig.decode(portable.encode(message)) == message


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_body_is_read_as_recorded(name: str) -> None:
    """What other programs send is read, or refused, where HyperBEAM does so."""
    expected, sent = FOREIGN[name]["decoded_tabm"], wire(FOREIGN[name]["wire"])
    if isinstance(expected, list):
        assert httpsig.decode(sent) == tabm(expected)
    else:
        with pytest.raises(MalformedItem):
            httpsig.decode(sent)


def parts(*texts: bytes) -> bytes:
    """A body of parts with the boundary B."""
    return b"--B\r\n" + b"\r\n--B\r\n".join(texts) + b"\r\n--B--"


def part(name: bytes, rest: bytes) -> bytes:
    """A part with a name and what comes after the line that has it."""
    return b'content-disposition: form-data;name="%s"\r\n%s' % (name, rest)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--B",
        b"--B--",
        b"--B\r\n--B--",
        b"--B\r\n\r\n--B--",
        parts(part(b"a", b"k: v"))[:-2],
        parts(part(b"a", b"k: v")).replace(b"\r\n--B--", b"--B--"),
        parts(part(b"a", b"k: v")).replace(b"\r\n", b"\n"),
        parts(part(b"a", b"k: v")).replace(b"--B\r\n", b"--Bx\r\n"),
        parts(part(b"a", b"no colon")),
        parts(part(b"a", b": v")),
        parts(part(b"a", b"k: 1\r\nk: 1")),
        parts(part(b"", b"k: v")),
        parts(b"content-disposition: form-data\r\nk: v"),
        parts(b"content-disposition: form-data;name=1\r\nk: v"),
        parts(b"content-disposition: \xff\r\nk: v"),
        parts(part(b"a//b", b"k: v")),
        parts(part(b"/a", b"k: v")),
        parts(part(b"a", b"body: 1\r\n\r\n2")),
        parts(*[b"content-disposition: inline\r\n\r\n1"] * 2),
        parts(part(b"a", b"\r\n1"), part(b"a/b", b"\r\n2")),
        parts(part(b"a", b"b: 1"), part(b"a/b", b"\r\n2")),
    ],
)
def test_a_malformed_body_is_refused(body: bytes) -> None:
    """Nothing is guessed: a body that says two things, or none, is refused by name."""
    with pytest.raises(MalformedItem):
        httpsig.decode(Wire(((b"content-type", CONTENT_TYPE),), body))


@pytest.mark.parametrize(
    "content_type",
    [
        b"multipart/form-data",
        b"multipart/form-data; boundary",
        b'multipart/form-data; boundary=""',
        b"multipart/form-data; boundary=1",
        b"multipart/form-data; boundary=B, multipart/form-data; boundary=C",
        b'multipart/form-data; boundary="' + b"B" * 71 + b'"',
        b"multipart/\xff",
    ],
)
def test_a_multipart_needs_a_boundary(content_type: bytes) -> None:
    """A body of parts whose boundary is not known is not read as one value instead."""
    with pytest.raises(MalformedItem):
        httpsig.decode(Wire(((b"content-type", content_type),), b"--B--"))


def test_parts_are_counted_before_they_are_read() -> None:
    """One part more than allowed is refused, as many as allowed are read."""
    parts = {b"%d" % number: b"x" for number in range(5)}
    written = multipart.encode(parts, b"body")
    with pytest.raises(TooLarge, match="4 parts"):
        multipart.decode(written, b"body", SMALL)
    del parts[b"4"]
    assert multipart.decode(multipart.encode(parts, b"body"), b"body", SMALL) == parts


def test_lines_of_all_parts_are_counted() -> None:
    """Many short lines cost more memory than bytes, so that they have a bound of their own."""
    written = multipart.encode({b"a": {b"%d" % n: b"" for n in range(9)}}, b"body")
    with pytest.raises(TooLarge, match="8 header lines"):
        multipart.decode(written, b"body", SMALL)


def test_nesting_has_a_bound() -> None:
    """As many levels as allowed are read, one more is refused."""
    assert ungroup({b"a/b/c": b"x"}, 3) == {b"a": {b"b": {b"c": b"x"}}}
    with pytest.raises(TooLarge, match="3 levels"):
        ungroup({b"a/b/c/d": b"x"}, 3)


def test_writing_has_a_bound_of_nesting_too() -> None:
    """A message nested without end is refused, and does not end the interpreter's stack."""
    message: dict = {b"k": b"v"}
    for _ in range(5_000):
        message = {b"m": message}
    with pytest.raises(UnsupportedValue, match="deep"):
        httpsig.encode(message)


@pytest.mark.parametrize(
    "message",
    [
        {b"m/n": {b"k": b"v"}},
        {b"m": {b"n/o": {b"k": b"v"}}},
        {b"": {b"k": b"v"}},
        {b"m": {b"": b"v"}},
        {b"m": {b"k: k": b"v"}},
        {b"m": {b"k\r\nk": b"v"}},
        {b"m": {b"k": b"v\r\n"}},
        {b"m": {b"body": b"", b"k": b"v"}},
        {b"m": {b"content-disposition": b"inline"}},
        {b"m": {b"content-digest": b"x"}},
        {b"m": {b"ao-body-key": b"x"}},
        {b"m": {b"ao-types": b"empty-message"}},
        {b"\xc3\xa9": {b"k": b"v"}},
        {b"q\\": {b"k": b"v"}},
        {b"m": {b"k": b"v"}, b"content-type": b"text/plain"},
        {b"content-digest": b"x"},
        {b"ao-body-key": b"missing"},
        {b"ao-body-key": {b"k": b"v"}},
        {b"a%41": b"v"},
        {b"": b"v"},
    ],
)
def test_a_message_that_reads_back_as_another_is_not_signed(message: dict) -> None:
    """Two messages never have one encoding, or a signature over one would be over both."""
    with pytest.raises(UnsupportedValue):
        httpsig.encode(message)


def test_an_empty_part_and_an_empty_message_are_two_things() -> None:
    """A part of no bytes is an empty value; the line `empty-message` is an empty message."""
    parts = {b"a": b"", b"b": {b"ao-types": b"empty-message"}}
    read = multipart.decode(multipart.encode(parts, b"a"), b"a", SMALL)
    assert read == {b"a": b"", b"b": {}}


def test_the_boundary_must_begin_a_line() -> None:
    """A boundary within a value is a piece of the value."""
    body = parts(part(b"a", b"\r\nx--B\r\ny--B--"))
    assert multipart.decode(Multipart(b"B", body), b"body", SMALL) == {b"a": b"x--B\r\ny--B--"}


@pytest.mark.parametrize("entry", FLAT, ids=lambda entry: str(entry["flat"]))
def test_paths_are_read_as_flat_keys_are(entry) -> None:
    """The names of parts nest as HyperBEAM's `flat@1.0` nests its keys."""
    assert ungroup(tabm(entry["flat"]), 8) == tabm(entry["back"])


@pytest.mark.parametrize("entry", FLAT, ids=lambda entry: str(entry["flat"]))
def test_paths_are_written_as_flat_keys_are_unless_they_would_lie(entry) -> None:
    """Where `flat@1.0` loses an empty message or splits a key, there is a refusal or a mark."""
    message = tabm(entry["message"])
    if entry["message"] == entry["back"]:
        assert group(message, lambda *_: False) == tabm(entry["flat"])
    elif b"a" in message:
        assert group(message, lambda *_: False) == {b"a": {b"ao-types": b"empty-message"}}
    else:
        with pytest.raises(UnsupportedValue):
            group(message, lambda *_: False)


def test_values_that_are_no_lines_are_parts_of_their_own() -> None:
    """Whoever calls decides what fits a line; the rest keeps its path."""
    message = {b"a": {b"k": b"v", b"m": {b"x": b"y"}}, b"z": b"0"}
    parts = group(message, lambda key, _: key == b"k")
    assert parts == {b"a": {b"k": b"v"}, b"a/m/x": b"y", b"z": b"0"}
    assert ungroup(parts, 8) == message
