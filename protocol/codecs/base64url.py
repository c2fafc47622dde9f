"""Bytes as base64url without padding, read strictly: one text for one value."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64

_TO_STANDARD = bytes.maketrans(b"-_+/=", b"+/\xff\xff\xff")
"""From base64url's alphabet; what only the standard one has becomes nothing at all."""
_FROM_STANDARD = bytes.maketrans(b"+/", b"-_")


def encode_base64url(raw: bytes) -> bytes:
    """Return the text of `raw`."""
    return b2a_base64(raw, newline=False).translate(_FROM_STANDARD).rstrip(b"=")


def decode_base64url(text: bytes) -> bytes:
    """Return the bytes that `text` stands for.

    Raises:
        ValueError: another alphabet, padding, an impossible length or stray last bits.
    """
    padded = text.translate(_TO_STANDARD) + b"=" * (-len(text) % 4)
    try:
        raw = a2b_base64(padded, strict_mode=True)
    except Base64Error:
        raise ValueError("not base64url") from None
    if encode_base64url(raw) != text:
        raise ValueError("the last character carries bits that are not part of the value")
    return raw
