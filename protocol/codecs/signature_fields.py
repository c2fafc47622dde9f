"""The header fields `signature` and `signature-input` (RFC 9421, 4.1 and 4.2)."""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from protocol.codecs import sf
from protocol.codecs.base64url import encode_base64url
from protocol.errors import MalformedItem

Parameters: TypeAlias = "tuple[tuple[bytes, bytes | int], ...]"

MAX_MEMBERS = 16
"""Most signatures read from one message; far above what clients make."""

_Value = TypeVar("_Value")

_LABEL = re.compile(rb"([a-z*][a-z0-9_.*-]*)=")
_BYTES = re.compile(rb":([A-Za-z0-9+/]*={0,2}):")
_STRING = re.compile(rb'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_INTEGER = re.compile(rb"(-?[0-9]{1,15})(?![0-9.])")
_TOKEN = re.compile(rb"([A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*)")
_NEXT = re.compile(rb"[ \t]*,[ \t]*")
_OPEN = re.compile(rb"\( *")
_SPACES = re.compile(rb" +")
_MORE = re.compile(rb"; *([a-z*][a-z0-9_.*-]*)=")
_ESCAPE = re.compile(rb"\\(.)")


@dataclass(frozen=True, slots=True)
class Signature:
    """One member of both fields.

    Attributes:
        label: its name in both.
        components: names of what was signed, as written.
        parameters: name and value, in their order; integers as such, all others as text
            (byte sequences in base64url, as HyperBEAM takes them).
        raw: the signature.
    """

    label: bytes
    components: tuple[bytes, ...]
    parameters: Parameters
    raw: bytes = field(repr=False)


def parse(signature: bytes, signature_input: bytes) -> tuple[Signature, ...]:
    """Read both fields: the signatures that have an input, in the order they stand in.

    Raises:
        MalformedItem: not structured fields, a label comes twice or in one field only, or
            a component has parameters of its own.
    """
    signatures = _members(signature, _signature)
    inputs = _members(signature_input, _input)
    if signatures.keys() != inputs.keys():
        raise MalformedItem("signature and signature-input have different labels")
    return tuple(Signature(label, *inputs[label], raw) for label, raw in signatures.items())


def write(signatures: Sequence[Signature]) -> tuple[bytes, bytes]:
    """Return the values of `signature` and of `signature-input`."""
    raws = (b"%s=:%s:" % (s.label, b2a_base64(s.raw, newline=False)) for s in signatures)
    inputs = (b"%s=%s" % (s.label, input_value(s.components, s.parameters)) for s in signatures)
    return b", ".join(raws), b", ".join(inputs)


def input_value(components: Sequence[bytes], parameters: Parameters) -> bytes:
    """Return one inner list with its parameters, as it is written and as it is signed."""
    names = b" ".join(map(sf.string, components))
    return b"(%s)%s" % (names, b"".join(b";%s=%s" % (n, _bare(value)) for n, value in parameters))


def _bare(value: bytes | int) -> bytes:
    return b"%d" % value if isinstance(value, int) else sf.string(value)


class _Reader:
    """A position in a field value."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.at = 0

    def take(self, pattern: re.Pattern[bytes]) -> bytes | None:
        """Return the pattern's first group (or all of it) and go on after it."""
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found[pattern.groups and 1]

    def need(self, pattern: re.Pattern[bytes]) -> bytes:
        found = self.take(pattern)
        if found is None:
            raise MalformedItem(f"a signature field is malformed at byte {self.at}")
        return found

    def skip(self, text: bytes) -> bool:
        found = self.text.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found

    @property
    def ended(self) -> bool:
        return self.at == len(self.text)


def _members(text: bytes, read: Callable[[_Reader], _Value]) -> dict[bytes, _Value]:
    reader = _Reader(text.strip(b" "))
    members: dict[bytes, _Value] = {}
    while not reader.ended:
        if members:
            reader.need(_NEXT)
        label = reader.need(_LABEL)
        if label in members or len(members) == MAX_MEMBERS:
            raise MalformedItem(f"signature labels come once, at most {MAX_MEMBERS}")
        members[label] = read(reader)
    return members


def _signature(reader: _Reader) -> bytes:
    try:
        return a2b_base64(reader.need(_BYTES), strict_mode=True)
    except Base64Error:
        raise MalformedItem("a signature is not base64") from None


def _input(reader: _Reader) -> tuple[tuple[bytes, ...], Parameters]:
    components = []
    reader.need(_OPEN)
    while not reader.skip(b")"):
        components.append(_unescape(reader.need(_STRING)))
        if not reader.take(_SPACES) and not reader.text.startswith(b")", reader.at):
            raise MalformedItem("a signed component has parameters, or the list does not end")
    parameters: dict[bytes, bytes | int] = {}
    while (name := reader.take(_MORE)) is not None:
        parameters.pop(name, None)
        parameters[name] = _value(reader)
    return tuple(components), tuple(parameters.items())


def _value(reader: _Reader) -> bytes | int:
    if (text := reader.take(_STRING)) is not None:
        return _unescape(text)
    if (digits := reader.take(_INTEGER)) is not None:
        return int(digits)
    if reader.text.startswith(b":", reader.at):
        return encode_base64url(_signature(reader))
    return reader.need(_TOKEN)


def _unescape(text: bytes) -> bytes:
    return _ESCAPE.sub(rb"\1", text) if b"\\" in text else text
