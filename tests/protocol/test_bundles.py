from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codecs.bundles import decode_bundle, encode_bundle
from protocol.errors import MalformedItem
from protocol.ids import Id

ITEMS = st.lists(st.tuples(st.binary(min_size=32, max_size=32).map(Id), st.binary(max_size=50)))


@given(ITEMS)
def test_a_bundle_gives_its_items_back(items: list[tuple[Id, bytes]]) -> None:
    """Whatever was put in comes out, in order."""
    assert list(decode_bundle(encode_bundle(items))) == items


@given(ITEMS, st.data())
def test_part_of_a_bundle_is_none(items: list[tuple[Id, bytes]], data: st.DataObject) -> None:
    """A bundle that was cut off anywhere is refused, and so is one with more behind it."""
    whole = encode_bundle(items)
    end = data.draw(st.integers(0, len(whole) - 1))
    for damaged in (whole[:end], whole + b"\0"):
        with pytest.raises(MalformedItem):
            list(decode_bundle(damaged))


def test_a_huge_count_is_refused_at_once() -> None:
    """What the header promises is compared with what is there before anything is read."""
    with pytest.raises(MalformedItem):
        list(decode_bundle(b"\xff" * 32))
