"""The tag block: what is written, what is read, and what is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codecs.avro import decode_tags, encode_tags
from protocol.errors import MalformedItem

TAGS = st.lists(st.tuples(st.binary(max_size=200), st.binary(max_size=200)), max_size=140)

READABLE = {
    "two blocks": b"\x02\x02a\x02b" + b"\x02\x02c\x02d" + b"\x00",
    "a block with its size": b"\x01\x08\x02a\x02b" + b"\x00",
    "a count of two bytes": b"\x82\x00\x02a\x02b" + b"\x00",
    "a length of two bytes": b"\x02\x82\x00a\x02b" + b"\x00",
    "an end of two bytes": b"\x02\x02a\x02b" + b"\x80\x00",
    "an end alone": b"\x00",
}

DAMAGED = {
    "no end": b"\x02\x02a\x02b",
    "no value": b"\x02\x02a",
    "a count only": b"\x02",
    "bytes after the end": b"\x02\x02a\x02b\x00\x00",
    "a negative length": b"\x02\x01a\x02b\x00",
    "a length beyond the end": b"\x02\x7ea\x02b\x00",
    "the largest length": b"\x02" + b"\xfe" + b"\xff" * 8 + b"\x01" + b"a\x02b\x00",
    "the largest count": b"\xfe" + b"\xff" * 8 + b"\x01" + b"\x02a\x02b\x00",
    "a number of eleven bytes": b"\x82" + b"\x80" * 9 + b"\x00" + b"\x02a\x02b\x00",
    "a number that does not end": b"\x80" * 5,
}


@given(TAGS, st.data())
def test_canonical_is_what_encoding_gives(tags: list[tuple[bytes, bytes]], data) -> None:
    """However the bytes were changed: what counts as canonical is what its tags are written as."""
    block = bytearray(encode_tags(tags) or b"\x00")
    at = data.draw(st.integers(0, len(block) - 1))
    block[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    with suppress(MalformedItem):
        read = decode_tags(bytes(block))
        assert read.canonical == (encode_tags(read.tags) == bytes(block))


@given(TAGS)
def test_tags_come_back_as_they_were_written(tags: list[tuple[bytes, bytes]]) -> None:
    """Encoding and decoding are inverse, and what is encoded is the one canonical block."""
    assert decode_tags(encode_tags(tags)) == (tuple(tags), True)


def test_no_tags_are_no_bytes() -> None:
    """An item without tags carries no block at all."""
    assert encode_tags([]) == b""
    assert decode_tags(b"") == ((), True)


def test_a_known_block() -> None:
    """Count, lengths and end are zig-zag numbers; two bytes where one is too small."""
    tags = [(b"Action", b"Eval"), (b"x" * 64, b"")]
    assert encode_tags(tags) == b"\x04\x0cAction\x08Eval\x80\x01" + b"x" * 64 + b"\x00\x00"


@pytest.mark.parametrize("form", READABLE)
def test_other_forms_are_read_and_told_apart(form: str) -> None:
    """Avro allows several encodings; they are read, and only the shortest counts as canonical."""
    tags, canonical = decode_tags(READABLE[form])
    assert tags == {"two blocks": ((b"a", b"b"), (b"c", b"d")), "an end alone": ()}.get(
        form, ((b"a", b"b"),)
    )
    assert not canonical


@pytest.mark.parametrize("damage", DAMAGED)
def test_damage_is_refused(damage: str) -> None:
    """A block that ends early, goes on too long or lies about a length is no block."""
    with pytest.raises(MalformedItem):
        decode_tags(DAMAGED[damage])


@given(st.binary(max_size=300))
def test_any_bytes_are_tags_or_refused(block: bytes) -> None:
    """Nothing but `MalformedItem` comes out, and canonical means: encodes to the same bytes."""
    try:
        tags, canonical = decode_tags(block)
    except MalformedItem:
        return
    assert canonical is (encode_tags(tags) == block)


@given(TAGS, st.data())
def test_every_truncation_is_noticed(tags: list[tuple[bytes, bytes]], data: st.DataObject) -> None:
    """No proper prefix of a block can pass for a block, except none at all."""
    block = encode_tags(tags)
    if len(block) > 1:
        cut = data.draw(st.integers(1, len(block) - 1))
        with pytest.raises(MalformedItem):
            decode_tags(block[:cut])
