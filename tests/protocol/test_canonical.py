"""The one form that bundlers take: every deviation is refused by name, every limit is usable."""

from __future__ import annotations

import pytest

from protocol.codecs import ans104
from protocol.codecs.canonical import MAX_NAME_BYTES, MAX_TAG_BYTES, MAX_TAGS, MAX_VALUE_BYTES
from protocol.errors import NotCanonical, TooLarge
from protocol.message import verify
from protocol.wallet import Wallet
from tests.protocol.odd_items import odd_item

ONE = [(b"a", b"b")]
MANY = [(b"%d" % number, b"") for number in range(MAX_TAGS + 1)]
WIDE = [(b"a", bytes(MAX_VALUE_BYTES)), (b"b", bytes(MAX_TAG_BYTES - MAX_VALUE_BYTES - 10))]
WIDER = [WIDE[0], (b"b", WIDE[1][1] + b"\0")]

FLAWS = {
    "a count that lies": ({"tags": ONE, "count": 2}, "counts 2 tags, there are 1"),
    "a count of tags that are not there": ({"count": 1}, "counts 1 tags, there are 0"),
    "two blocks": (
        {"tags": ONE * 2, "block": b"\x02\x02a\x02b\x02\x02a\x02b\x00"},
        "not one Avro block",
    ),
    "a block with its size": (
        {"tags": ONE, "block": b"\x01\x08\x02a\x02b\x00"},
        "shortest numbers",
    ),
    "a long count": ({"tags": ONE, "block": b"\x82\x00\x02a\x02b\x00"}, "shortest numbers"),
    "a long length": ({"tags": ONE, "block": b"\x02\x82\x00a\x02b\x00"}, "shortest numbers"),
    "a block of no tags": ({"block": b"\x00"}, "not one Avro block"),
    "too many tags": ({"tags": MANY}, "129 tags, over 128"),
    "a name that is empty": ({"tags": [(b"", b"b")]}, "name of tag 1 is 0 bytes"),
    "a name too long": ({"tags": [*ONE, (bytes(1025), b"")]}, "name of tag 2 is 1025 bytes"),
    "a value too long": ({"tags": [(b"a", bytes(3073))]}, "value of tag 1 is 3073 bytes"),
    "a block too large": ({"tags": WIDER}, "the tags are 4097 bytes, over 4096"),
}

LIMITS = {
    "the most tags": MANY[:-1],
    "the longest name": [(b"n" * MAX_NAME_BYTES, b"")],
    "the longest value": [(b"a", b"v" * MAX_VALUE_BYTES)],
    "the largest block": WIDE,
    "an empty value": [(b"a", b"")],
    "a tag twice": ONE * 2,
    "no tags": [],
}


@pytest.mark.guarantee("S10")
@pytest.mark.parametrize("kind", FLAWS)
def test_what_bundlers_would_not_take_is_refused(kind: str, user_wallet: Wallet) -> None:
    """An odd item is read and verifies, but it is not scheduled; the error says why."""
    oddity, reason = FLAWS[kind]
    encoded = odd_item(user_wallet, **oddity)
    item = ans104.parse(encoded)
    assert item.verify()
    assert item.encode() == encoded
    with pytest.raises(NotCanonical, match=reason):
        verify(encoded)


@pytest.mark.parametrize("kind", LIMITS)
def test_every_limit_can_be_used(kind: str, user_wallet: Wallet) -> None:
    """Exactly at a limit an item is canonical, and `unsigned` builds it too."""
    assert verify(odd_item(user_wallet, LIMITS[kind])).encoded
    assert ans104.unsigned(LIMITS[kind]).tags == tuple(LIMITS[kind])


@pytest.mark.parametrize("tags", [MANY, WIDER, [(b"", b"")], [(bytes(1025), b"")]])
def test_nothing_beyond_a_limit_is_built(tags) -> None:
    """The builder refuses what the reader would refuse."""
    with pytest.raises(TooLarge):
        ans104.unsigned(tags)
