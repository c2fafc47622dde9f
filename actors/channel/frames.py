"""Frames: where a letter begins and ends in a stream of bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from protocol.errors import MalformedFrame

HEADER = struct.Struct(">I")
"""Before each payload: how many bytes it has."""

MAX_FRAME_BYTES = 16 << 20
"""Largest payload that is read or written: a message of 10 MiB and what is known of it."""


class FrameReader:
    """Cut what a stream gives into the payloads that were framed.

    Nothing is set aside for a frame before its bytes are there, whatever its header says.
    """

    def __init__(self) -> None:
        # The beginning of a frame whose end has not come, and how many bytes it takes until
        # there is more to say about it.
        self._begun = bytearray()
        self._wanted = HEADER.size

    @property
    def inside(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._begun)

    def feed(self, data: bytes | memoryview) -> Iterator[memoryview]:
        """Take what came, and give each payload that is complete now, in order.

        The payloads may be parts of `data`: they are good for as long as it is. Whoever stops
        in the middle loses what follows.

        Raises:
            MalformedFrame: the next frame is over the limit; the ones before it were given.
        """
        if self._begun:
            self._begun += data
            if len(self._begun) < self._wanted:
                return
            data, self._begun = self._begun, bytearray()  # type: ignore[assignment]
        view = memoryview(data)
        at = 0
        while (start := at + HEADER.size) <= len(view):
            end = start + _size(view, at)
            if end > len(view):
                self._wanted = end - at
                break
            yield view[start:end]
            at = end
        else:
            self._wanted = HEADER.size
        self._begun += view[at:]


def _size(view: memoryview, at: int) -> int:
    size: int = HEADER.unpack_from(view, at)[0]
    if size > MAX_FRAME_BYTES:
        raise MalformedFrame(f"a frame of {size} bytes is over {MAX_FRAME_BYTES}")
    return size
