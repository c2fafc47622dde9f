"""A file that holds one signed message."""

from __future__ import annotations

import os
import re
import stat
from enum import StrEnum
from pathlib import Path

from protocol.codecs.ans104 import MAX_ITEM_BYTES
from protocol.errors import InvalidInput, TooLarge
from protocol.message import Message

_HEADER = re.compile(rb"[!-9;-~]+: ")
"""How an httpsig message begins. An item begins with a number that has a zero byte."""


class Codec(StrEnum):
    """The codecs that a file may be in."""

    ANS104 = "ans104"
    HTTPSIG = "httpsig"


def read_bytes(file: Path) -> bytes:
    """Read a file, as far as is needed to tell that it is too large.

    Raises:
        InvalidInput: it is no regular file.
        OSError: it cannot be read.
    """
    with open(file, "rb", opener=_without_waiting) as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise InvalidInput(f"{file} is not a regular file")
        return opened.read(MAX_ITEM_BYTES + 1)


def codec_of(encoded: bytes) -> Codec:
    """Return the codec that bytes look like; what looks like none is a broken item."""
    return Codec.HTTPSIG if _HEADER.match(encoded) else Codec.ANS104


def decoded(encoded: bytes, codec: Codec) -> Message:
    """Read a message; nothing about it is verified.

    An httpsig message comes as `Wire.encode` writes it: header lines, an empty line, the body.

    Raises:
        InvalidInput: as `Message.decode`.
    """
    if len(encoded) > MAX_ITEM_BYTES:
        raise TooLarge(f"the item is over {MAX_ITEM_BYTES} bytes")
    return Message.decode(encoded, codec.value)


def _without_waiting(path: str, flags: int) -> int:
    # Opening a pipe would wait for somebody to write into it.
    return os.open(path, flags | os.O_NONBLOCK)
