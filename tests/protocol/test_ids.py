"""Identifiers: one text for one value."""

from __future__ import annotations

import hashlib
import pickle
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import InvalidId
from protocol.ids import ID_BYTES, ID_CHARACTERS, Id, combine, digest_id
from tests.protocol.recorded import vectors

RAW = st.binary(min_size=ID_BYTES, max_size=ID_BYTES)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
ZERO = "A" * ID_CHARACTERS
SUMS = vectors("structured")["ids"]["accumulate"]
TWO_SIGNERS = {
    message["name"]: message["two_signers"]
    for message in vectors("messages")["messages"]
    if "commitments" in message.get("two_signers", {})
}


@given(RAW)
def test_an_id_is_read_back_from_its_text(raw: bytes) -> None:
    """The text is 43 characters of base64url and leads to the same 32 bytes."""
    identifier = Id(raw)
    assert str(identifier) == urlsafe_b64encode(raw).decode().rstrip("=")
    assert Id.parse(str(identifier)) == Id.parse(identifier.ascii) == identifier == raw


@given(st.text(ALPHABET, min_size=ID_CHARACTERS, max_size=ID_CHARACTERS))
def test_only_the_canonical_text_is_an_id(text: str) -> None:
    """Of the four last characters that decode alike, one is accepted: what `str` gives."""
    try:
        assert str(Id.parse(text)) == text
    except InvalidId:
        assert ALPHABET.index(text[-1]) % 4 != 0


@given(st.one_of(st.text(max_size=60), st.binary(max_size=60)))
def test_any_text_is_an_id_or_refused(text: str | bytes) -> None:
    """Nothing but `InvalidId` comes of a stranger's text."""
    try:
        identifier = Id.parse(text)
    except InvalidId:
        return
    assert identifier.ascii == (text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ZERO[:-1],
        ZERO + "A",
        ZERO + "=",
        ZERO[:-1] + "=",
        ZERO[:-1] + "B",
        ZERO[:-1] + "+",
        "/" + ZERO[1:],
        " " + ZERO[1:],
        ZERO[:-1] + "\n",
        ZERO + "\n",
        ZERO[:-1] + "é",
        "\0" * ID_CHARACTERS,
        hashlib.sha256().hexdigest(),
    ],
)
def test_other_spellings_are_refused(text: str) -> None:
    """Length, alphabet, padding, spaces and loose bits are all checked."""
    with pytest.raises(InvalidId):
        Id.parse(text)


@pytest.mark.parametrize("size", [0, 31, 33, 43])
def test_an_id_has_32_bytes(size: int) -> None:
    """Other sizes are refused when an ID is made, not when it is used."""
    with pytest.raises(InvalidId, match=f"not {size}"):
        Id(bytes(size))


def test_an_id_stays_an_id_elsewhere() -> None:
    """Pickling keeps the type, and an ID is as good a key as its bytes."""
    identifier = digest_id(b"content")
    copy = pickle.loads(pickle.dumps(identifier))
    assert (type(copy), copy) == (Id, identifier)
    assert {identifier: 1}[hashlib.sha256(b"content").digest()] == 1
    assert repr(identifier) == f"Id('{identifier}')"


@pytest.mark.parametrize("entry", SUMS, ids=lambda entry: str(len(entry["ids"])))
def test_sums_are_as_recorded(entry) -> None:
    """Several IDs add up modulo 2^256, and one stays itself."""
    assert str(combine(map(Id.parse, entry["ids"]))) == entry["sum"]


@pytest.mark.parametrize("name", TWO_SIGNERS)
def test_two_signers_add_up_as_recorded(name: str) -> None:
    """The ID of a message with two signers is the sum of those of its commitments."""
    recorded = TWO_SIGNERS[name]
    signed = [i for i, fields in recorded["commitments"].items() if "committer" in fields]
    assert len(signed) == 2
    assert str(combine(map(Id.parse, signed))) == recorded["ids"]["all"]
