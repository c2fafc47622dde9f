"""Whole numbers that a request says."""

from __future__ import annotations

from node.http.request import Call
from protocol.errors import InvalidInput

MAX_DIGITS = 15
"""What parsers of structured fields take (RFC 8941, 3.3.1)."""


def number(call: Call, name: str) -> int | None:
    """Return the whole number that a request says under `name`, or None.

    Raises:
        InvalidInput: it is no number, or has more than 15 digits.
    """
    text = call.get(name)
    if text is None:
        return None
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= MAX_DIGITS):
        raise InvalidInput(f"{name} is a whole number of at most {MAX_DIGITS} digits")
    return int(text)
