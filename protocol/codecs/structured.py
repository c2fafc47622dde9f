"""Typed values as text (``structured@1.0``): the scalars that tags and headers carry."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from protocol.errors import UnsupportedValue


class Atom(str):
    """An Erlang atom; booleans and null are atoms too."""

    __slots__ = ()


Scalar = bytes | str | bool | int | float | Atom | None

_PLAIN = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyz.-_/?&")
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_MEMBER = re.compile(rb'([^\s,=";]+)="([A-Za-z]+)"')
_MEMBERS = re.compile(rb"%s(?:[ \t]*,[ \t]*%s)*" % (_MEMBER.pattern, _MEMBER.pattern))
_ATOMS = {None: b"null", True: b"true", False: b"false"}


def to_tabm(typed: Mapping[str, Scalar]) -> dict[bytes, bytes]:
    """Return the keys with every value as bytes, and `ao-types` naming what is no text.

    Keys keep their case. An integer is decimal text, a float C's ``%.20e``, an atom its
    name. Source: HyperBEAM's `dev_codec_structured`.

    Raises:
        UnsupportedValue: a value is of another type, text is no Unicode, or `ao-types` is
            among the keys.
    """
    if "ao-types" in typed:
        raise UnsupportedValue("ao-types is written from the values' own types")
    tabm: dict[bytes, bytes] = {}
    types: dict[bytes, bytes] = {}
    for name, value in typed.items():
        key = _utf8(name)
        tabm[key], kind = _scalar(value)
        if kind:
            types[key] = kind
    if types:
        tabm[b"ao-types"] = _dictionary(types)
    return tabm


def lower_types(text: bytes) -> bytes:
    """Return an `ao-types` value with the names of its keys in lower case, sorted.

    What is no list of ``key="type"`` stays as it is. Source: HyperBEAM's
    `dev_codec_ans104`, which lower-cases every other name of a data item too.
    """
    if not _MEMBERS.fullmatch(text):
        return text
    return _dictionary({_unescape(key).lower(): kind for key, kind in _MEMBER.findall(text)})


def escape_key(key: bytes) -> bytes:
    """Percent-encode, in lower case, what a structured-field key cannot carry."""
    return b"".join(b"%c" % byte if byte in _PLAIN else b"%%%02x" % byte for byte in key)


def sf_string(value: bytes) -> bytes:
    """Quote a value as a structured-field string (RFC 8941, 3.3.3)."""
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _dictionary(types: Mapping[bytes, bytes]) -> bytes:
    return b", ".join(b'%s="%s"' % (escape_key(key), types[key]) for key in sorted(types))


def _unescape(key: bytes) -> bytes:
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), key)


def _scalar(value: Scalar) -> tuple[bytes, bytes]:
    if isinstance(value, bytes):
        return value, b""
    if isinstance(value, Atom):
        return _utf8(value), b"atom"
    if isinstance(value, str):
        return _utf8(value), b""
    if value is None or isinstance(value, bool):
        return _ATOMS[value], b"atom"
    if isinstance(value, int):
        return _decimal(value), b"integer"
    if isinstance(value, float):
        return _scientific(value), b"float"
    raise UnsupportedValue(f"a {type(value).__name__} cannot be written as text")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UnsupportedValue("text holds half of a surrogate pair") from None


def _decimal(number: int) -> bytes:
    try:
        return b"%d" % number
    except ValueError:  # the interpreter refuses thousands of digits
        raise UnsupportedValue("an integer has too many digits") from None


def _scientific(number: float) -> bytes:
    if not math.isfinite(number):
        raise UnsupportedValue(f"the number {number} cannot be written")
    return b"%.20e" % number
