"""The grammar of signature fields: what is read, and what is refused."""

from __future__ import annotations

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codecs.base64url import decode_base64url, encode_base64url
from protocol.codecs.httpsig_commitment import from_wire
from protocol.codecs.signature_base import signature_base
from protocol.codecs.signature_fields import MAX_MEMBERS, Signature, parse, write
from protocol.codecs.wire import Wire
from protocol.errors import InvalidInput, MalformedItem
from protocol.tabm import COMMITMENTS

LABELS = st.from_regex(rb"[a-z*][a-z0-9_.*-]{0,10}", fullmatch=True)
TEXTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12).map(str.encode)
NUMBERS = st.integers(-(10**15 - 1), 10**15 - 1)
SIGNATURES = st.builds(
    Signature,
    LABELS,
    st.lists(TEXTS, max_size=5).map(tuple),
    st.dictionaries(LABELS, TEXTS | NUMBERS, max_size=4).map(lambda found: tuple(found.items())),
    st.binary(max_size=40),
)


@given(st.lists(SIGNATURES, max_size=4, unique_by=lambda each: each.label))
def test_what_is_written_is_read(signatures: list[Signature]) -> None:
    """Any labels, components, parameters and bytes come back in their order."""
    assert parse(*write(signatures)) == tuple(signatures)


@given(st.lists(SIGNATURES, min_size=1, max_size=3, unique_by=lambda each: each.label))
def test_what_is_written_are_structured_fields(signatures: list[Signature]) -> None:
    """An independent parser reads the same dictionaries."""
    text, inputs = (http_sf.parse(value, tltype="dictionary") for value in write(signatures))
    assert [text[each.label.decode()][0] for each in signatures] == [s.raw for s in signatures]
    for each in signatures:
        components, parameters = inputs[each.label.decode()]
        assert [name.encode() for name, _ in components] == list(each.components)
        assert [*parameters] == [name.decode() for name, _ in each.parameters]


@pytest.mark.parametrize(
    "inputs",
    [
        b'a=("x" "y");alg="z";n=5;t=token;b=:aGk=:',
        b'a=( "x"  "y" ); alg="z"',
        b'a=();alg="q\\"uo\\\\te"',
        b'a=("x");n=-3;n=4',
    ],
)
def test_a_parser_of_structured_fields_agrees(inputs: bytes) -> None:
    """Spaces, escapes, repeated parameters and types mean the same to both."""
    (found,) = parse(b"a=:aGk=:", inputs)
    components, parameters = http_sf.parse(inputs, tltype="dictionary")["a"]
    assert [name.encode() for name, _ in components] == list(found.components)
    assert [plain(value) for value in parameters.values()] == [v for _, v in found.parameters]


@pytest.mark.parametrize(
    ("signature", "inputs"),
    [
        (b"a=:aGk=:", b""),
        (b"", b'a=("x")'),
        (b"a=:aGk=:", b'b=("x")'),
        (b"a=:aGk=:, a=:aGk=:", b'a=("x")'),
        (b"a=:aGk=:,", b'a=("x")'),
        (b"a=:aG k=:", b'a=("x")'),
        (b"a=:aGk:", b'a=("x")'),
        (b"a=aGk=", b'a=("x")'),
        (b"A=:aGk=:", b'A=("x")'),
        (b"a=:aGk=:", b'a=("x"'),
        (b"a=:aGk=:", b'a=("x""y")'),
        (b"a=:aGk=:", b"a=(x)"),
        (b"a=:aGk=:", b'a="x"'),
        (b"a=:aGk=:", b'a=("x";sf)'),
        (b"a=:aGk=:", b'a=("@path";req)'),
        (b"a=:aGk=:", b'a=("x");alg'),
        (b"a=:aGk=:", b'a=("x");alg='),
        (b"a=:aGk=:", b'a=("x");n=1.5'),
        (b"a=:aGk=:", b'a=("x");n=1234567890123456'),
        (b"a=:aGk=:", b'a=("x") b=("y")'),
        (b"a=:aGk=:", b'a=("\xc3\xa9")'),
        (b"a=:aGk=:", b'a=("x\\n")'),
        (b"a=:aGk=:", b'a=("x\ny")'),
        (b"a=:aGk=:;x=1", b'a=("x")'),
    ],
)
def test_a_malformed_field_is_refused(signature: bytes, inputs: bytes) -> None:
    """Nothing is guessed about what was signed."""
    with pytest.raises(MalformedItem):
        parse(signature, inputs)


def test_so_many_signatures_and_no_more() -> None:
    """A message with a thousand signatures is refused before they are looked at."""
    many = [Signature(b"l%d" % n, (), (), b"x") for n in range(MAX_MEMBERS + 1)]
    assert len(parse(*write(many[:-1]))) == MAX_MEMBERS
    with pytest.raises(MalformedItem, match="16"):
        parse(*write(many))


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(signature: bytes, inputs: bytes) -> None:
    """No other error than ours comes out of a field."""
    for fields in ((signature, inputs), (b"comm-a=" + signature, b"comm-a=" + inputs)):
        wire = Wire((*zip((b"signature", b"signature-input"), fields, strict=True), (b"a", b"b")))
        try:
            from_wire(wire)
        except InvalidInput:
            continue


def test_the_labels_of_others_are_no_commitments() -> None:
    """A signature by a proxy is nothing of ours, also when it stands beside ours."""
    theirs = ((b"signature", b"sig1=:aGk=:"), (b"signature-input", b'sig1=("x");alg="y"'))
    assert COMMITMENTS not in from_wire(Wire(((b"x", b"1"), *theirs)))


def test_a_base_is_written_as_the_standard_says() -> None:
    """Each header is a line; the list of them and the parameters come last."""
    values = {b"b": b"2", b"path": b"/x", b"a": b""}
    parameters = {b"keyid": b'k"', b"alg": b"hmac", b"created": 7, b"more": b"unsigned"}
    assert signature_base(values, [b"a", b"path"], parameters) == (
        b'"a": \n"path": /x\n"@signature-params": ("a" "@path");alg="hmac";created=7;keyid="k\\""'
    )


@given(st.binary(max_size=40))
def test_base64url_is_read_as_it_is_written(raw: bytes) -> None:
    """Any bytes come back."""
    assert decode_base64url(encode_base64url(raw)) == raw


@given(st.from_regex(rb"[A-Za-z0-9_=+/-]{0,9}", fullmatch=True))
def test_bytes_have_one_text_in_base64url(text: bytes) -> None:
    """What is read at all is what would be written: no padding, no stray bits."""
    try:
        raw = decode_base64url(text)
    except ValueError:
        return
    assert encode_base64url(raw) == text


def plain(value: object) -> object:
    if isinstance(value, bytes):
        return encode_base64url(value)
    return value if isinstance(value, int) else str(value).encode()
