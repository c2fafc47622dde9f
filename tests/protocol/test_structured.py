"""Typed values as text and back, as HyperBEAM writes and reads them."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codecs import scalars
from protocol.codecs.structured import Atom, Link, from_tabm, to_tabm
from protocol.errors import InvalidInput, MalformedItem, UnsupportedValue
from tests.protocol.recorded import octets, typed, vectors

VALUES = vectors("structured")["values"]
SCALARS = [e for e in VALUES if e.get("value", {"t": "list"})["t"] != "list"]
KINDS = (b"integer", b"float", b"atom")
PYTHON = {"true": True, "false": False, "null": None}
NOT_A_NUMBER = {"4.0", "x"}
"""Texts of type integer that HyperBEAM reads as a decimal and as a token; here they are refused."""

UNKNOWN_ATOMS = {"never_seen_atom_p"}
"""HyperBEAM refuses atoms that its virtual machine never saw; here an atom is text."""


@pytest.mark.parametrize("entry", SCALARS, ids=lambda entry: str(entry["value"])[:40])
def test_a_value_is_written_as_recorded(entry) -> None:
    """Integers, floats, atoms and text become HyperBEAM's bytes and type names."""
    written = to_tabm({"k": typed(entry["value"])})
    assert written[b"k"] == octets(entry["encoded"]["bytes"])
    assert written[b"ao-types"] == f'k="{entry["encoded"]["type"]}"'.encode()


@pytest.mark.parametrize("entry", VALUES, ids=lambda entry: str(entry)[:60])
def test_a_value_is_read_as_recorded(entry) -> None:
    """Every text that HyperBEAM reads means the same here, and what it refuses is refused."""
    recorded = entry.get("encoded") or entry["decode_only"]
    text, kind = octets(recorded["bytes"]), recorded["type"].encode()
    message = {b"k": text, b"ao-types": b'k="%s"' % kind}
    if recorded["bytes"] in UNKNOWN_ATOMS:
        assert from_tabm(message) == {"k": Atom(recorded["bytes"])}
    elif "error" in entry["decoded"] or recorded["bytes"] in NOT_A_NUMBER:
        with pytest.raises(MalformedItem):
            from_tabm(message)
    else:
        assert from_tabm(message) == {"k": in_python(typed(entry["decoded"]))}


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


def test_a_link_is_a_key_of_its_own() -> None:
    """A nested message that is not here is its ID under the key with `+link`."""
    assert to_tabm({"m": Link("id")}) == {b"m+link": b"id"}
    assert from_tabm({b"m+link": b"id"}) == {"m": "id"}
    assert isinstance(from_tabm({b"m+link": b"id"})["m"], Link)


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, 10**5000, "\ud800", Atom("\udfff"), object(), bytearray(b"x"), {1, 2}],
    ids=lambda value: type(value).__name__,
)
def test_a_value_without_a_text_is_refused(value) -> None:
    """What cannot be written so that it reads back is refused, never written somehow."""
    with pytest.raises(UnsupportedValue):
        to_tabm({"k": [value]})


@pytest.mark.parametrize("name", ["ao-types", "\ud800"])
def test_a_key_that_cannot_be_kept_is_refused(name: str) -> None:
    """`ao-types` follows from the values, and a key is Unicode."""
    with pytest.raises(UnsupportedValue):
        to_tabm({"m": {name: "x"}})


@pytest.mark.parametrize(
    "message",
    [
        {b"ao-types": b"no types"},
        {b"ao-types": {b"k": b"v"}},
        {b"\xff": b"v"},
        {b"m+link": b"\xff"},
        {b"m+link": b"id", b"m": b"v"},
        {b"l": {b"ao-types": b'.="list"', b"2": b"v"}},
        {b"l": {b"ao-types": b'.="list"', b"01": b"v"}},
        {b"l": {b"ao-types": b'.="list"', b"1": b"v", b"k": b"v"}},
        {b"k": b"v", b"ao-types": b'k="no-such-type"'},
        {b"k": b"1" * 16, b"ao-types": b'k="integer"'},
        {b"k": b"-", b"ao-types": b'k="integer"'},
        {b"k": "\u0661".encode(), b"ao-types": b'k="integer"'},
        {b"k": b"1.0e999", b"ao-types": b'k="float"'},
        {b"k": b"nan", b"ao-types": b'k="float"'},
        {b"k": b"1;a=2", b"ao-types": b'k="atom"'},
        {b"k": b"a;b", b"ao-types": b'k="atom"'},
        {b"k": b'"(ao-type-nothing) x"', b"ao-types": b'k="list"'},
        {b"k": b"@1", b"ao-types": b'k="list"'},
    ],
)
def test_a_message_that_contradicts_its_types_is_refused(message) -> None:
    """A wrong value never becomes a right one of another type."""
    with pytest.raises(MalformedItem):
        from_tabm(message)


def test_nesting_ends_somewhere() -> None:
    """A message nested without end is refused in both directions."""
    message: dict = {}
    written: dict = {}
    for _ in range(5_000):
        message, written = {"m": [message]}, {b"m": written}
    with pytest.raises(UnsupportedValue, match="deep"):
        to_tabm(message)
    with pytest.raises(MalformedItem, match="deep"):
        from_tabm(written)
    nested = b"x"
    for _ in range(12):
        nested = b'"(ao-type-list) %s"' % nested.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    with pytest.raises(MalformedItem, match="deep"):
        from_tabm({b"k": nested, b"ao-types": b'k="list"'})


NAMES = st.text(min_size=1).filter(lambda name: name != "ao-types" and not name.endswith("+link"))
LEAVES = (
    st.binary()
    | st.integers(1 - 10**15, 10**15 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.none()
    | st.sampled_from(["undefined", "some_atom"]).map(Atom)
    | st.text(min_size=1).map(Link)
)
TYPED = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(NAMES, TYPED, max_size=6))
def test_every_message_comes_back(message: dict) -> None:
    """Writing and reading give the same values of the same types, however nested."""
    assert exactly(from_tabm(to_tabm(message))) == exactly(message)


@given(st.binary(max_size=60), st.sampled_from([*KINDS, b"list", b"map"]))
def test_any_text_has_a_value_or_is_refused(text: bytes, kind: bytes) -> None:
    """Reading raises nothing but refusals, and what it reads can be written."""
    with suppress(MalformedItem):
        value = from_tabm({b"k": text, b"ao-types": b'k="%s"' % kind})
        with suppress(UnsupportedValue):
            to_tabm(value)


@given(st.binary(max_size=40), st.sampled_from(KINDS))
def test_a_scalar_that_is_read_is_written_to_the_same_value(text: bytes, kind: bytes) -> None:
    """The text may change, as leading zeros do, but the value does not."""
    with suppress(InvalidInput):
        value = scalars.read(text, kind)
        assert scalars.read(*scalars.write(value)) == value


def exactly(value):
    """A value with the type of each of its leaves: an atom equals its text, and True equals 1."""
    if isinstance(value, list):
        return [exactly(inner) for inner in value]
    if isinstance(value, dict):
        return {name: exactly(inner) for name, inner in value.items()}
    return type(value), repr(value)


def in_python(value):
    if isinstance(value, list):
        return [in_python(inner) for inner in value]
    if isinstance(value, dict):
        return {name: in_python(inner) for name, inner in value.items()}
    return PYTHON.get(value, value) if isinstance(value, Atom) else value
