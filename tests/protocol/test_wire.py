"""A message on the wire as one run of bytes: how it is stored and published."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codecs.wire import Wire
from protocol.errors import MalformedItem, UnsupportedValue

TEXT = st.lists(st.sampled_from([b"a", b"b", b":", b" ", b"\r", b"\n", b"\r\n"]), max_size=5).map(
    b"".join
)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=4), TEXT)
def test_headers_and_body_come_back_or_are_refused(headers, body: bytes) -> None:
    """No value can make two headers of one, or move the end of the headers."""
    wire = Wire(tuple(sorted(headers)), body)
    with suppress(UnsupportedValue):
        assert Wire.parse(wire.encode()) == wire


def test_equal_messages_are_equal_bytes() -> None:
    """The order in which headers came does not matter."""
    headers = ((b"b", b"2"), (b"a", b"1"))
    assert Wire(headers, b"x").encode() == Wire(headers[::-1], b"x").encode()
    assert Wire(headers, b"x").encode() == b"a: 1\r\nb: 2\r\n\r\nx"


@pytest.mark.parametrize("encoded", [b"", b"a: 1", b"a: 1\r\n", b"a\r\n\r\n", b": 1\r\n\r\n"])
def test_other_bytes_are_refused(encoded: bytes) -> None:
    """What was not written by us is not guessed at."""
    with pytest.raises(MalformedItem):
        Wire.parse(encoded)
