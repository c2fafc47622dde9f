"""Bodies of several parts (``multipart/form-data``), as HyperBEAM writes them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from protocol.codecs import sf
from protocol.codecs.base64url import encode_base64url
from protocol.codecs.body_parts import EMPTY, Bounds, Part
from protocol.errors import MalformedItem, TooLarge, UnsupportedValue

CRLF = b"\r\n"
DISPOSITION = b"content-disposition"
BODY_KEY = b"ao-body-key"
NOT_LINES = frozenset((DISPOSITION, BODY_KEY, b"content-digest"))
"""Names that say something about the part; a nested message cannot have them in a line."""

_NAME = re.compile(rb"[\x20\x21\x23-\x5b\x5d-\x7e]+")
_FORM_DATA = re.compile(rb'form-data; *name="([\x20\x21\x23-\x5b\x5d-\x7e]*)"')
_MAX_BOUNDARY_BYTES = 70
"""RFC 2046, 5.1.1."""


@dataclass(frozen=True, slots=True)
class Multipart:
    """A body and the boundary between its parts."""

    boundary: bytes
    body: bytes

    @property
    def content_type(self) -> bytes:
        """The header that tells a reader the boundary."""
        return b'multipart/form-data; boundary="%s"' % self.boundary


def encode(parts: Mapping[bytes, Part], inline: bytes) -> Multipart:
    """Write parts in the order of their names; the boundary is the hash of all of them.

    Args:
        parts: by name; a map becomes header lines, of which `body` comes after the others.
        inline: name of the part that has none on the wire.

    Returns:
        the body and its boundary, which is as long as an ID.

    Raises:
        UnsupportedValue: a reader would take a name or a line for something else.
    """
    written = [_written(name, parts[name], inline) for name in sorted(parts)]
    boundary = encode_base64url(hashlib.sha256(CRLF.join(written)).digest())
    body = b"".join(b"--%s\r\n%s\r\n" % (boundary, part) for part in written)
    return Multipart(boundary, b"%s--%s--" % (body, boundary))


def decode(multipart: Multipart, inline: bytes, bounds: Bounds) -> dict[bytes, Part]:
    """Read the parts of a body by name.

    Bytes before the first and after the last boundary are ignored.

    Raises:
        TooLarge: there are more parts or lines than `bounds` allow.
        MalformedItem: the boundaries, a line or a part's name are not as they must be, or
            two parts have one name.
    """
    parts: dict[bytes, Part] = {}
    lines = 0
    for text in _split(multipart, bounds.parts):
        head, separator, body = text.partition(CRLF + CRLF)
        lines += head.count(CRLF)
        if lines > bounds.lines:
            raise TooLarge(f"the parts have more than {bounds.lines} header lines")
        fields = _fields(head)
        name = _name(fields.pop(DISPOSITION, None), inline)
        if name in parts:
            raise MalformedItem(f"two parts are called {name[:80]!r}")
        parts[name] = _part(fields, body if separator else None)
    return parts


def boundary_of(content_type: bytes) -> bytes | None:
    """Return the boundary a `content-type` names, or None if it is no multipart.

    Raises:
        MalformedItem: it is a multipart without a usable boundary.
    """
    if not content_type.startswith(b"multipart/"):
        return None
    _, parameters = sf.parse_item(content_type)
    boundary = parameters.get("boundary")
    if not isinstance(boundary, str | sf.Token) or not 0 < len(boundary) <= _MAX_BOUNDARY_BYTES:
        raise MalformedItem("a multipart has no boundary")
    return str(boundary).encode("ascii")


def fits_line(name: bytes, value: bytes) -> bool:
    """Whether a reader takes a header line of a part for just this name and value."""
    return (
        name not in NOT_LINES
        and bool(name)
        and b": " not in name
        and CRLF not in name
        and CRLF not in value
    )


def _written(name: bytes, part: Part, inline: bytes) -> bytes:
    if isinstance(part, bytes):
        return b"%s: %s\r\n\r\n%s" % (DISPOSITION, _disposition(name, inline), part)
    if part.keys() == {b"body"} and part[b"body"]:
        # Alone, the body would be taken for the part itself and not for a key of it.
        name += b"/body"
    lines = dict(part)
    # An empty body is a line, for no reader sees it after the lines.
    body = lines.pop(b"body") if lines.get(b"body") else None
    for key, value in lines.items():
        if not fits_line(key, value):
            raise UnsupportedValue(f"{key[:40]!r} in {name[:80]!r} cannot be a header line")
    lines[DISPOSITION] = _disposition(name, inline)
    head = CRLF.join(b"%s: %s" % (key, lines[key]) for key in sorted(lines))
    return head if body is None else b"%s\r\n\r\n%s" % (head, body)


def _disposition(name: bytes, inline: bytes) -> bytes:
    if name == inline:
        return b"inline"
    if not _NAME.fullmatch(name):
        raise UnsupportedValue(f"a part cannot be called {name[:80]!r}")
    return b'form-data;name="%s"' % name


def _split(multipart: Multipart, most: int) -> list[bytes]:
    delimiter = b"\r\n--%s" % multipart.boundary
    # A line break before the first boundary lets it look like all the others.
    body = CRLF + multipart.body
    start = body.find(delimiter + CRLF)
    end = body.find(delimiter + b"--", start + len(delimiter))
    if start < 0 or end < 0:
        raise MalformedItem("a multipart does not begin or end with its boundary")
    inside = body[start + len(delimiter) + len(CRLF) : end]
    parts = inside.split(delimiter + CRLF, most)
    if len(parts) > most:
        raise TooLarge(f"a body has more than {most} parts")
    return parts


def _fields(head: bytes) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = {}
    for line in head.split(CRLF):
        name, colon, value = line.partition(b": ")
        if not name or not colon:
            raise MalformedItem(f"a part has the line {line[:40]!r}, which names nothing")
        if name in fields:
            raise MalformedItem(f"a part has two lines called {name[:40]!r}")
        fields[name] = value
    return fields


def _name(disposition: bytes | None, inline: bytes) -> bytes:
    if disposition is None:
        raise MalformedItem("a part has no content-disposition")
    if disposition == b"inline":
        return inline
    named = _FORM_DATA.fullmatch(disposition)
    if named:
        return named[1]
    value, parameters = sf.parse_item(disposition)
    if value == sf.Token("inline"):
        return inline
    name = parameters.get("name")
    if not isinstance(name, str | sf.Token):
        raise MalformedItem("a part has no name")
    return str(name).encode("ascii")


def _part(fields: dict[bytes, bytes], body: bytes | None) -> Part:
    body_key = fields.pop(BODY_KEY, b"body")
    fields.pop(b"content-digest", None)
    if fields == EMPTY and not body:
        return {}
    if body is None:
        return fields
    if not fields:
        return body
    if not body:
        return fields
    if body_key in fields:
        raise MalformedItem(f"a part has {body_key[:40]!r} twice")
    return {**fields, body_key: body}
