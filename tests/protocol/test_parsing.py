"""Reading data items from strangers: named refusals, and no memory on their word."""

from __future__ import annotations

import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codecs import ans104
from protocol.codecs.ans104 import MAX_ITEM_BYTES, MAX_READ_TAG_BYTES
from protocol.codecs.avro import encode_tags
from protocol.errors import MalformedItem, Refused, TooLarge, UnsupportedSignature
from protocol.message import Message
from tests.protocol.recorded import raw, recorded_items

VALID = {name: raw(item["item_b64u"]) for name, item in recorded_items().items()}
SEEDS = st.sampled_from(["target-and-anchor", "tags-12-mixed", "bundle-map", "no-tags"])
TAGS_AT = 2 + 512 + 512 + 2
"""Where the tag header of an item without target and anchor starts."""


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(encoded: bytes) -> None:
    """Arbitrary bytes raise nothing but a refusal of this project."""
    read_or_refused(encoded)


@given(st.integers(1, 3), st.binary(min_size=128, max_size=2000))
def test_any_fields_are_read_or_refused(number: int, fields: bytes) -> None:
    """So do arbitrary fields behind a signature type that is known."""
    read_or_refused(number.to_bytes(2, "little") + fields)


@given(SEEDS, st.data())
def test_a_mutated_item_is_never_the_same_message(name: str, data: st.DataObject) -> None:
    """A byte changed behind the signature shows: in what is signed, or in the canonical form.

    The header's tag count is not signed, so only the canonical form keeps it from giving one
    message ID to two different items.
    """
    at = data.draw(st.integers(1026, len(VALID[name]) - 1))
    changed = bytearray(VALID[name])
    changed[at] ^= data.draw(st.integers(1, 255))
    item = read_or_refused(bytes(changed))
    assert item is None or item.flaw or signs_other_data(item, name)


@given(SEEDS, st.data())
def test_a_truncated_item_is_never_the_same_message(name: str, data: st.DataObject) -> None:
    """Only data can be cut off without making an item unreadable, and data is signed."""
    item = read_or_refused(VALID[name][: data.draw(st.integers(0, len(VALID[name]) - 1))])
    assert item is None or signs_other_data(item, name)


@pytest.mark.parametrize(
    ("missing", "ends"),
    {
        "signature type": (0, 1),
        "target": (2, 513, 514, 1025, 1026, 1027, 1058),
        "anchor": (1059, 1060, 1091),
        "tags": (1092, 1107),
    }.items(),
)
def test_an_item_that_ends_within_its_fields_is_malformed(
    missing: str, ends: tuple[int, ...]
) -> None:
    """Every field is needed; the error says which one the item ends before."""
    for end in ends:
        with pytest.raises(MalformedItem, match=f"the item ends before its {missing}"):
            ans104.parse(VALID["target-and-anchor"][:end])


@pytest.mark.parametrize("field", ["target", "anchor"])
def test_a_presence_byte_is_zero_or_one(field: str) -> None:
    """Any other byte before target or anchor is refused, naming the field."""
    at = 1026 + (field == "anchor")
    with pytest.raises(MalformedItem, match=f"before the {field} is neither 0 nor 1"):
        ans104.parse(replaced(at, b"\x02"))


@pytest.mark.guarantee("L2")
@pytest.mark.parametrize("announced", [1 << 20, 1 << 31, (1 << 64) - 1])
def test_an_announced_size_takes_no_memory(announced: int) -> None:
    """A header that announces more tags than there are bytes is refused before any is read."""
    lying = replaced(TAGS_AT, struct.pack("<QQ", announced, announced))

    def refused() -> None:
        with pytest.raises(MalformedItem, match="announced"):
            ans104.parse(lying)

    refused()  # what the first time leaves behind, such as a compiled pattern, is not the item's
    tracemalloc.start()
    try:
        refused()
        assert tracemalloc.get_traced_memory()[1] < 16 << 10
    finally:
        tracemalloc.stop()


def test_tags_end_within_the_item() -> None:
    """One byte of tags more than there are is refused, though all the tags are there."""
    block = encode_tags([(b"a", b"b")])
    whole = with_tags(block)[: TAGS_AT + 16 + len(block)]
    assert ans104.parse(whole).data == b""
    lying = whole[:TAGS_AT] + struct.pack("<QQ", 1, len(block) + 1) + block
    with pytest.raises(MalformedItem, match=f"{len(block) + 1} bytes of tags .* {len(block)} are"):
        ans104.parse(lying)


@pytest.mark.guarantee("L2")
def test_an_oversized_item_is_refused_unread() -> None:
    """One byte over 10 MiB is too large, whatever it holds; 10 MiB are read."""
    assert MAX_ITEM_BYTES == 10 * 1024 * 1024
    largest = VALID["no-tags"].ljust(MAX_ITEM_BYTES, b"\0")
    assert ans104.parse(largest).encode() == largest
    with pytest.raises(TooLarge):
        ans104.parse(largest + b"\0")
    with pytest.raises(TooLarge):
        ans104.parse(bytes(MAX_ITEM_BYTES + 1))


@pytest.mark.guarantee("L2")
def test_a_vast_tag_block_is_refused_unread() -> None:
    """Empty tags take far more memory than room on the wire, so the block is bounded too."""
    assert MAX_READ_TAG_BYTES == 64 * 1024
    largest = encode_tags([(b"a", bytes(MAX_READ_TAG_BYTES - 7))])
    assert len(largest) == MAX_READ_TAG_BYTES
    assert ans104.parse(with_tags(largest)).tag_bytes == largest
    with pytest.raises(TooLarge, match="tags"):
        ans104.parse(with_tags(largest + b"\0"))


@pytest.mark.parametrize("number", [0, 4, 5, 6, 7, 8, 257, 65535])
def test_an_unknown_signature_type_is_named(number: int) -> None:
    """The refusal names the number, so that a new wallet kind is told from damage."""
    with pytest.raises(UnsupportedSignature, match=rf"type {number}\b"):
        ans104.parse(replaced(0, number.to_bytes(2, "little")))


def read_or_refused(encoded: bytes) -> ans104.Item | None:
    try:
        message = Message.decode(encoded)
    except Refused:
        return None
    assert message.item.encode() == encoded
    return message.item


def signs_other_data(item: ans104.Item, name: str) -> bool:
    return item.signature_data() != ans104.parse(VALID[name]).signature_data()


def with_tags(block: bytes) -> bytes:
    return replaced(TAGS_AT, struct.pack("<QQ", 1, len(block)) + block)


def replaced(at: int, new: bytes) -> bytes:
    encoded = VALID["no-tags"]
    return encoded[:at] + new + encoded[at + len(new) :]
