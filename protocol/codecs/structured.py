"""Typed values as text (``structured@1.0``): the scalars that tags and headers carry."""

from __future__ import annotations

from collections.abc import Mapping

from protocol.errors import UnsupportedValue


class Atom(str):
    """An Erlang atom; booleans and null are atoms too."""

    __slots__ = ()


Scalar = bytes | str | bool | int | float | Atom | None
_UNESCAPED = "0123456789abcdefghijklmnopqrstuvwxyz.-_/?&"


def to_tabm(typed: Mapping[str, Scalar]) -> dict[bytes, bytes]:
    """Return the keys with every value as bytes, and `ao-types` naming what is no text.

    Keys keep their case. An integer is decimal text, a float C's ``%.20e``, an atom its
    name. Source: HyperBEAM's `dev_codec_structured`.

    Raises:
        UnsupportedValue: a value is of another type, or `ao-types` is among the keys.
    """
    if "ao-types" in typed:
        raise UnsupportedValue("ao-types is written from the values' own types")
    tabm: dict[bytes, bytes] = {}
    types: list[tuple[bytes, str]] = []
    for key, value in typed.items():
        text, kind = _scalar(value)
        tabm[key.encode()] = text
        if kind:
            types.append((key.encode(), kind))
    if types:
        members = (f'{escape_key(key)}="{kind}"' for key, kind in sorted(types))
        tabm[b"ao-types"] = ", ".join(members).encode()
    return tabm


def escape_key(key: bytes) -> str:
    """Percent-encode, in lower case, what a structured-field key cannot carry."""
    parts = (chr(b) if chr(b) in _UNESCAPED else f"%{b:02x}" for b in key)
    return "".join(parts)


def sf_string(value: bytes) -> bytes:
    """Quote a value as a structured-field string (RFC 8941, 3.3.3)."""
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _scalar(value: Scalar) -> tuple[bytes, str | None]:
    if isinstance(value, bytes):
        return value, None
    if isinstance(value, Atom):
        return value.encode(), "atom"
    if isinstance(value, str):
        return value.encode(), None
    if value is None or isinstance(value, bool):
        return {None: b"null", True: b"true", False: b"false"}[value], "atom"
    if isinstance(value, int):
        return b"%d" % value, "integer"
    if isinstance(value, float):
        return f"{value:.20e}".encode(), "float"
    raise UnsupportedValue(f"a {type(value).__name__} cannot be written as a tag")
