"""Frames come out as they were put in, however the stream is cut."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.channel.frames import HEADER, MAX_FRAME_BYTES, FrameReader
from protocol.errors import MalformedFrame


def framed(*payloads: bytes) -> bytes:
    return b"".join(HEADER.pack(len(payload)) + payload for payload in payloads)


def fed(reader: FrameReader, data: bytes) -> list[bytes]:
    return [bytes(payload) for payload in reader.feed(data)]


@given(st.lists(st.binary(max_size=40), max_size=8), st.lists(st.integers(1, 30), max_size=30))
def test_frames_survive_any_cutting(payloads, cuts) -> None:
    """Wherever the stream is cut, every payload arrives whole, once and in order."""
    stream, reader, arrived = framed(*payloads), FrameReader(), []
    for cut in cuts:
        arrived += fed(reader, stream[:cut])
        stream = stream[cut:]
    arrived += fed(reader, stream)
    assert arrived == payloads
    assert not reader.inside


@pytest.mark.parametrize("size", [1, 3, 4, 7])
def test_half_a_frame_is_known_as_such(size) -> None:
    """Between two frames nothing is pending; anywhere else something is."""
    reader = FrameReader()
    assert not reader.inside
    assert fed(reader, framed(b"abcd")[:size]) == []
    assert reader.inside
    assert fed(reader, framed(b"abcd")[size:]) == [b"abcd"]
    assert not reader.inside


def test_the_largest_frame_is_read() -> None:
    """A frame of exactly the limit arrives."""
    payload = bytes(MAX_FRAME_BYTES)
    assert fed(FrameReader(), framed(payload)) == [payload]


@pytest.mark.parametrize("begun", [b"", b"\x00\x00"])
def test_a_frame_over_the_limit_is_refused_after_those_before_it(begun) -> None:
    """What came in good order is given first, then the error."""
    reader, given_out = FrameReader(), []
    stream = framed(b"good") + HEADER.pack(MAX_FRAME_BYTES + 1)
    first = stream[: len(begun)]
    given_out += fed(reader, first)
    with pytest.raises(MalformedFrame):
        given_out.extend(map(bytes, reader.feed(stream[len(begun) :])))
    assert given_out == [b"good"]


@pytest.mark.guarantee("L2")
def test_a_header_alone_takes_no_memory() -> None:
    """Nothing is set aside for what a header promises."""
    readers = [FrameReader() for _ in range(100)]
    tracemalloc.start()
    try:
        for reader in readers:
            assert fed(reader, HEADER.pack(MAX_FRAME_BYTES)) == []
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
