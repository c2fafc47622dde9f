"""Typed values as text, as HyperBEAM writes them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codecs import sf
from protocol.codecs.ao_types import lower_keys
from protocol.codecs.percent import escape
from protocol.codecs.structured import Atom, to_tabm
from protocol.errors import UnsupportedValue
from tests.protocol.recorded import octets, scalar, vectors

STRUCTURED = vectors("structured")
VALUES = [e for e in STRUCTURED["values"] if e.get("value", {"t": "list"})["t"] != "list"]
TYPES = [e for e in STRUCTURED["ao_types"] if "list" not in e["types"].values()]
TYPED = {"integer": 1, "float": 1.0, "atom": Atom("x")}


@pytest.mark.parametrize("entry", VALUES, ids=lambda entry: str(entry["value"])[:40])
def test_a_value_is_written_as_recorded(entry) -> None:
    """Integers, floats, atoms and text become HyperBEAM's bytes and type names."""
    written = to_tabm({"k": scalar(entry["value"])})
    assert written[b"k"] == octets(entry["encoded"]["bytes"])
    kind = entry["encoded"]["type"]
    assert written.get(b"ao-types") == (f'k="{kind}"'.encode() if kind in TYPED else None)


@pytest.mark.parametrize("entry", TYPES, ids=lambda entry: entry["encoded"])
def test_types_are_written_as_recorded(entry) -> None:
    """`ao-types` lists escaped keys in the order of their raw bytes."""
    written = to_tabm({key: TYPED[kind] for key, kind in entry["types"].items()})
    assert written[b"ao-types"] == entry["encoded"].encode()


@pytest.mark.parametrize("entry", STRUCTURED["percent"], ids=lambda entry: str(entry["raw"]))
def test_keys_are_escaped_as_recorded(entry) -> None:
    """Every byte that a structured-field key cannot carry is percent-encoded in lower case."""
    assert escape(octets(entry["raw"])) == entry["encoded"].encode()


def test_python_values_have_their_erlang_names() -> None:
    """Booleans and None are atoms, and a boolean is not taken for an integer."""
    written = to_tabm({"yes": True, "no": False, "none": None, "one": 1})
    assert written == {
        b"yes": b"true",
        b"no": b"false",
        b"none": b"null",
        b"one": b"1",
        b"ao-types": b'no="atom", none="atom", one="integer", yes="atom"',
    }


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, 10**5000, "\ud800", Atom("\udfff"), object()],
    ids=lambda value: type(value).__name__,
)
def test_a_value_without_a_text_is_refused(value) -> None:
    """What cannot be written so that it reads back is refused, never written somehow."""
    with pytest.raises(UnsupportedValue):
        to_tabm({"k": value})


@pytest.mark.parametrize("name", ["ao-types", "\ud800"])
def test_a_key_that_cannot_be_kept_is_refused(name: str) -> None:
    """`ao-types` follows from the values, and a key is Unicode."""
    with pytest.raises(UnsupportedValue):
        to_tabm({name: "x"})


@given(st.dictionaries(st.text(min_size=1), st.sampled_from(sorted(TYPED))))
def test_typed_names_are_lower_cased_once(types: dict[str, str]) -> None:
    """Lower-casing `ao-types` lower-cases ASCII letters only, sorts, and does nothing twice."""
    types.pop("ao-types", None)
    text = to_tabm({name: TYPED[kind] for name, kind in types.items()}).get(b"ao-types", b"")
    lowered = lower_keys(text)
    assert lower_keys(lowered) == lowered
    names = sorted({name.encode().lower() for name in types})
    assert [member.split(b"=")[0] for member in lowered.split(b", ") if member] == [
        escape(name) for name in names
    ]


@pytest.mark.parametrize("text", [b"", b"A", b'A="integer', b'A="a b"', b"A=integer", b'"A"'])
def test_what_is_no_list_of_types_stays_as_it_is(text: bytes) -> None:
    """An `ao-types` tag is anybody's text; only one in its own form is rewritten."""
    assert lower_keys(text) == text


def test_quotes_and_backslashes_are_escaped() -> None:
    """A structured-field string escapes exactly the two characters that would end it."""
    assert sf.string(b'a"b\\c') == rb'"a\"b\\c"'
