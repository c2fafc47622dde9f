"""`ao-types` and the percent-encoded keys in it, as HyperBEAM writes and reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codecs import ao_types
from protocol.codecs.percent import escape, unescape
from protocol.errors import MalformedItem
from tests.protocol.recorded import octets, vectors

TYPES = vectors("structured")["ao_types"]
PERCENT = vectors("structured")["percent"]


@pytest.mark.parametrize("entry", TYPES, ids=lambda entry: entry["encoded"])
def test_types_are_written_as_recorded(entry) -> None:
    """`ao-types` lists escaped keys in the order of their raw bytes."""
    types = {key.encode(): kind.encode() for key, kind in entry["types"].items()}
    assert ao_types.write(types) == entry["encoded"].encode()


@pytest.mark.parametrize("entry", TYPES, ids=lambda entry: entry["encoded"])
def test_types_are_read_as_recorded(entry) -> None:
    """The keys come back unescaped."""
    types = {key.encode(): kind.encode() for key, kind in entry["decoded_back"].items()}
    assert ao_types.read(entry["encoded"].encode()) == types


@pytest.mark.parametrize("entry", PERCENT, ids=lambda entry: str(entry["raw"]))
def test_keys_are_escaped_as_recorded(entry) -> None:
    """Every byte that a structured-field key cannot carry is percent-encoded in lower case."""
    assert escape(octets(entry["raw"])) == entry["encoded"].encode()
    assert unescape(entry["encoded"].encode()) == octets(entry["decoded"])


@given(st.binary())
def test_every_key_comes_back(key: bytes) -> None:
    """Escaping loses nothing, whatever the key."""
    assert unescape(escape(key)) == key


@pytest.mark.parametrize("text", [b"%", b"%4", b"%zz", b"100%", b"%%", b"%c3%"])
def test_a_percent_sign_that_escapes_nothing_stays(text: bytes) -> None:
    """A key may have a percent sign of its own."""
    assert unescape(text).count(b"%") == text.replace(b"%c3", b"").count(b"%")


@given(st.dictionaries(st.binary(min_size=1), st.sampled_from([b"integer", b"float", b"atom"])))
def test_typed_names_are_lower_cased_once(types: dict[bytes, bytes]) -> None:
    """Lower-casing `ao-types` lower-cases ASCII letters only, sorts, and does nothing twice."""
    lowered = ao_types.lower_keys(ao_types.write(types))
    assert ao_types.lower_keys(lowered) == lowered
    assert list(ao_types.read(lowered)) == sorted({key.lower() for key in types})


@pytest.mark.parametrize(
    "text", [b"A", b'A="integer', b'A="a b"', b"A=integer", b'"A"', b'A="integer",', b'="integer"']
)
def test_what_is_no_list_of_types_is_refused_or_stays_as_it_is(text: bytes) -> None:
    """Of a message it is an error; as a tag it is anybody's text."""
    assert ao_types.lower_keys(text) == text
    with pytest.raises(MalformedItem):
        ao_types.read(text)


def test_type_names_have_no_case() -> None:
    """`Integer` is `integer`, and no header is no types."""
    assert ao_types.read(b'a="Integer", b="ATOM"') == {b"a": b"integer", b"b": b"atom"}
    assert ao_types.read(b"") == {}
