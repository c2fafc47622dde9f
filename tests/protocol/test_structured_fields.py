"""Structured fields: as recorded, and as the standard's own library has them."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from contextlib import suppress
from decimal import Decimal
from typing import Any

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codecs import ao_types, sf
from protocol.codecs.content_digest import content_digest
from protocol.codecs.percent import unescape
from protocol.errors import MalformedItem
from tests.protocol.recorded import raw, vectors

STRUCTURED = vectors("structured")
PARSERS = {
    "item": sf.parse_item,
    "list": sf.parse_list,
    "dictionary": sf.parse_dictionary,
}
UPPER_CASE = {"A=1", 'Upper=("x")'}
"""HyperBEAM takes names in upper case, which RFC 8941 (3.1.2) forbids and nobody writes."""

NON_ASCII = {'"ü"'}
"""HyperBEAM writes strings that RFC 8941 (3.3.3) forbids; it cannot read them itself."""

AO_TYPES = '%41b="integer", x.y="atom", 1="integer"'
"""Keys of messages as names, which only `ao-types` has: RFC 8941 lets no name begin so."""

PARSED = [e for e in STRUCTURED["parse"] if e["raw"] not in {*UPPER_CASE, AO_TYPES}]
ITEMS = [entry for entry in STRUCTURED["items"] if entry["encoded"] not in NON_ASCII]
FIELDS = [
    *(("item", entry) for entry in ITEMS),
    *(("list", entry) for entry in STRUCTURED["lists"]),
    *(("dictionary", entry) for entry in STRUCTURED["dictionaries"]),
]


@pytest.mark.parametrize("entry", PARSED, ids=lambda entry: entry["raw"])
def test_a_field_is_read_as_recorded(entry) -> None:
    """Items, lists and dictionaries are read, or refused, as HyperBEAM does."""
    parse, text = PARSERS[entry["kind"]], entry["raw"].encode()
    if "error" in entry["parsed"]:
        with pytest.raises(MalformedItem):
            parse(text)
    else:
        assert recorded(parse(text)) == entry["parsed"]


@pytest.mark.parametrize("text", sorted(UPPER_CASE))
def test_names_in_upper_case_are_refused(text: str) -> None:
    """A dictionary's names are lower case, as the standard says."""
    with pytest.raises(MalformedItem):
        sf.parse_dictionary(text.encode())


def test_keys_as_names_are_read_by_ao_types_alone() -> None:
    """The one header whose names are keys of messages has a grammar of its own."""
    (entry,) = (entry for entry in STRUCTURED["parse"] if entry["raw"] == AO_TYPES)
    members = {unescape(name.encode()): item["bare"]["string"] for name, item in entry["parsed"]}
    assert ao_types.read(AO_TYPES.encode()) == {key: k.encode() for key, k in members.items()}
    with pytest.raises(MalformedItem):
        sf.parse_dictionary(AO_TYPES.encode())


@pytest.mark.parametrize(("kind", "entry"), FIELDS, ids=lambda entry: str(entry)[:50])
def test_a_written_field_is_read_back(kind: str, entry) -> None:
    """What HyperBEAM writes means the same here."""
    assert recorded(PARSERS[kind](entry["encoded"].encode())) == entry["term"]


def test_a_list_of_strings_is_written_as_recorded() -> None:
    """Quotes and backslashes are escaped, any other byte stands for itself."""
    written = [entry["encoded"].encode() for entry in STRUCTURED["lists"]]
    assert sf.strings([b"one", b'two "2"']) == written[0]
    assert sf.strings([]) == written[2] == b""
    assert sf.string("ü".encode()) == '"ü"'.encode()
    assert sf.string(b'a"b\\c') == rb'"a\"b\\c"'


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_a_string_is_the_standards(text: str) -> None:
    """Within ASCII our own writer of strings and the library agree."""
    assert sf.string(text.encode()) == http_sf.ser(text).encode()
    assert sf.parse_item(sf.string(text.encode())) == (text, {})


@given(st.binary(max_size=200))
@pytest.mark.parametrize("kind", PARSERS)
def test_any_bytes_are_read_or_refused(kind: str, text: bytes) -> None:
    """No text makes a parser raise anything but its own refusal."""
    with suppress(MalformedItem):
        assert isinstance(PARSERS[kind](text), tuple | list | dict)


def test_a_field_has_a_longest_length() -> None:
    """Nothing longer than any block of headers is looked at."""
    with pytest.raises(MalformedItem, match="too long"):
        sf.parse_item(b'"' + b"x" * 300_000 + b'"')


@pytest.mark.parametrize("entry", STRUCTURED["content_digest"], ids=lambda e: e["header"])
def test_a_digest_is_written_as_recorded(entry) -> None:
    """The digest of a body is its SHA-256 in standard base64, between colons."""
    assert content_digest(raw(entry["body_b64u"])) == entry["header"].encode()


def recorded(parsed: Any) -> Any:
    """What was parsed, in the form of the vectors."""
    if isinstance(parsed, dict):
        return [[name, recorded(member)] for name, member in parsed.items()]
    if isinstance(parsed, list):
        return [recorded(member) for member in parsed]
    value, parameters = parsed
    named = [[name, bare(inner)] for name, inner in parameters.items()]
    if isinstance(value, list):
        return {"inner_list": [recorded(item) for item in value], "params": named}
    return {"bare": bare(value), "params": named}


def bare(value: Any) -> Any:
    """A bare item in the form of the vectors: integers as text, decimals as digits and power."""
    if isinstance(value, bool):
        return {"boolean": value}
    if isinstance(value, int):
        return {"integer": str(value)}
    if isinstance(value, Decimal):
        sign, digits, exponent = value.normalize().as_tuple()
        number = int("".join(map(str, digits)))
        return {"decimal": [-number if sign else number, exponent]}
    if isinstance(value, bytes):
        return {"bytes_b64u": urlsafe_b64encode(value).rstrip(b"=").decode()}
    return {"token" if isinstance(value, sf.Token) else "string": str(value)}
