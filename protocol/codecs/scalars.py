"""Scalars as text and back (``structured@1.0``): integers, floats, atoms."""

from __future__ import annotations

import math
import re

from protocol.codecs import sf
from protocol.errors import MalformedItem, UnsupportedValue


class Atom(str):
    """An Erlang atom; booleans and null are atoms too."""

    __slots__ = ()


class Link(str):
    """The ID of a nested message that is not here."""

    __slots__ = ()


Scalar = bytes | str | bool | int | float | Atom | Link | None

MAX_INTEGER = 10**15 - 1
"""Largest integer that parsers of structured fields take (RFC 8941, 3.3.1)."""

_ATOMS = {None: b"null", True: b"true", False: b"false"}
_PYTHON = {text: value for value, text in _ATOMS.items()}
_INTEGER = re.compile(rb"-?[0-9]{1,15}")
_FLOAT = re.compile(rb"[+-]?[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?")
_ATOM = re.compile(rb"[A-Za-z][A-Za-z0-9_@.:/!#$%&'*+^`|~-]*")
_LONGEST_FLOAT = 400
"""Bytes; a double has no more digits than this before an exponent is used."""


def write(value: Scalar) -> tuple[bytes, bytes]:
    """Return a value's text, and the name of its type or nothing if it is text anyway.

    Raises:
        UnsupportedValue: it has no text that reads back.
    """
    if isinstance(value, bytes):
        return value, b""
    if isinstance(value, Atom):
        return utf8(value), b"atom"
    if isinstance(value, str):
        return utf8(value), b""
    if value is None or isinstance(value, bool):
        return _ATOMS[value], b"atom"
    if isinstance(value, int):
        return _decimal(value), b"integer"
    if isinstance(value, float):
        return _scientific(value), b"float"
    raise UnsupportedValue(f"a {type(value).__name__} cannot be written as text")


def read(text: bytes, kind: bytes) -> bool | int | float | Atom | None:
    """Return the value that a text stands for.

    Args:
        text: as `write` gives it; what else structured fields allow is read too.
        kind: ``integer``, ``float`` or ``atom``.

    Raises:
        MalformedItem: the text is not of that type, or there is no such type.
    """
    if kind == b"integer" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == b"float" and len(text) <= _LONGEST_FLOAT and _FLOAT.fullmatch(text):
        number = float(text)
        if math.isfinite(number):
            return number
    if kind == b"atom":
        return _atom(text)
    raise MalformedItem(f"{text[:40]!r} is no value of type {kind[:40]!r}")


def utf8(text: str) -> bytes:
    """Encode text.

    Raises:
        UnsupportedValue: it is no Unicode.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UnsupportedValue("text holds half of a surrogate pair") from None


def _atom(text: bytes) -> bool | Atom | None:
    if text in _PYTHON:
        return _PYTHON[text]
    if _ATOM.fullmatch(text):
        return Atom(text.decode("ascii"))
    name, parameters = sf.parse_item(text)
    if not isinstance(name, str) or parameters:
        raise MalformedItem(f"{text[:40]!r} is no atom")
    return _PYTHON.get(name.encode("ascii"), Atom(name))


def _decimal(number: int) -> bytes:
    try:
        return b"%d" % number
    except ValueError:  # the interpreter refuses thousands of digits
        raise UnsupportedValue("an integer has too many digits") from None


def _scientific(number: float) -> bytes:
    if not math.isfinite(number):
        raise UnsupportedValue(f"the number {number} cannot be written")
    return b"%.20e" % number
