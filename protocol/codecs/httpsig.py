"""Messages as HTTP headers and a body (``httpsig@1.0``), without their signatures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from protocol.codecs import multipart
from protocol.codecs.body_parts import LONGEST_LINE, REQUEST, Bounds, group, ungroup
from protocol.codecs.content_digest import KEY as DIGEST
from protocol.codecs.content_digest import content_digest
from protocol.codecs.multipart import BODY_KEY, Multipart
from protocol.codecs.percent import escape, unescape
from protocol.codecs.wire import Wire
from protocol.errors import MalformedItem, UnsupportedValue
from protocol.tabm import COMMITMENTS, Tabm

MOST_COMPONENTS = 32
"""Headers of a message we sign: for more, HyperBEAM orders them as no other program can."""

BODY, DATA, CONTENT_TYPE = b"body", b"data", b"content-type"
SIGNATURE, SIGNATURE_INPUT = b"signature", b"signature-input"

NOT_KEYS = frozenset((COMMITMENTS, SIGNATURE, SIGNATURE_INPUT, b"priv"))
"""Names about a message; HyperBEAM's `priv` is nobody else's business."""

_ID_LENGTHS = frozenset((32, 42, 43))
"""Keys of these lengths may be IDs, whose case a header name would lose."""


def encode(tabm: Tabm) -> Wire:
    """Write a message exactly as HyperBEAM signs it.

    A key is a header, or when it is `body` (or `data`, without `body`), longer than 4,096
    bytes or nested, in the body. Names keep their case, and values any bytes they have:
    what shall travel over HTTP is written by `portable.encode`.

    Args:
        tabm: linked or bundle form; its own commitments are left out, those of nested
            messages are not.

    Raises:
        UnsupportedValue: the message would be read as another one.
    """
    message = {_wire_key(key): value for key, value in tabm.items() if key not in NOT_KEYS}
    inline, headers = inline_key(message)
    nested: dict[bytes, bytes | Tabm] = {}
    for key, value in message.items():
        if isinstance(value, bytes) and key not in (inline, BODY) and len(value) <= LONGEST_LINE:
            headers[key] = value
        else:
            nested[key] = value
    return assemble(headers, nested, inline, _is_line)


def fields_to_sign(tabm: Tabm, most: int | None = MOST_COMPONENTS) -> dict[bytes, bytes]:
    """Return what a signature over a whole message covers: header names and values, sorted.

    The body stands there as `content-digest`, also when it is empty and has no header.

    Args:
        tabm: reduced to the keys to sign.
        most: refuse more fields than this; None when the order is known from elsewhere.

    Raises:
        UnsupportedValue: as `encode`, or there are too many fields.
    """
    wire = encode(tabm)
    fields = dict(wire.headers)
    if not wire.body and not tabm.keys().isdisjoint((BODY, DATA, BODY_KEY)):
        fields[DIGEST] = content_digest(b"")
    if most is not None and len(fields) > most:
        raise UnsupportedValue(f"{len(fields)} header fields cannot be signed, at most {most} can")
    return dict(sorted(fields.items()))


def decode(wire: Wire, bounds: Bounds = REQUEST) -> dict[bytes, bytes | Tabm]:
    """Read a message; signatures are left out, and `content-digest` is not checked.

    A key of the body goes before a header of the same name. An empty body is a key only if
    `ao-body-key` or `signature-input` says that there is one.

    Raises:
        TooLarge: the body has more than `bounds` allow.
        MalformedItem: the body is not what `content-type` says, or a key comes twice.
    """
    headers = _joined(wire.headers)
    inline = headers.pop(BODY_KEY, b"")
    boundary = multipart.boundary_of(headers.get(CONTENT_TYPE, b""))
    body: Mapping[bytes, bytes | Tabm] = {}
    if boundary is not None:
        del headers[CONTENT_TYPE]
        parts = multipart.decode(Multipart(boundary, wire.body), inline or BODY, bounds)
        body = _keys(ungroup(parts, bounds.depth).items())
    elif wire.body or inline or b'"content-digest"' in headers.get(SIGNATURE_INPUT, b""):
        body = {unescape(inline or BODY): wire.body}
    headers.pop(DIGEST, None)
    message = {**_keys(headers.items()), **body}
    for key in NOT_KEYS & message.keys():
        del message[key]
    return message


def inline_key(message: Tabm) -> tuple[bytes, dict[bytes, bytes]]:
    """Return the key whose value stands in the body, and the header that says so if any.

    Raises:
        UnsupportedValue: `ao-body-key` names no key of the message.
    """
    if BODY_KEY in message:
        named = message[BODY_KEY]
        if not isinstance(named, bytes) or named not in message:
            raise UnsupportedValue("ao-body-key names no key of the message")
        return named, {}
    if DATA in message and BODY not in message:
        return DATA, {BODY_KEY: DATA}
    return BODY, {}


def assemble(
    headers: dict[bytes, bytes],
    nested: Tabm,
    inline: bytes,
    is_line: Callable[[bytes, bytes], bool],
) -> Wire:
    """Put together the headers and what stands in the body.

    Args:
        headers: by name as on the wire; completed here.
        nested: what is no header, by key as on the wire.
        inline: key whose value is the body, or the part without a name.
        is_line: whether a nested key and its value can stand as a line of their part.

    Raises:
        UnsupportedValue: the message would be read as another one.
    """
    if headers.get(CONTENT_TYPE, b"").startswith(b"multipart/"):
        raise UnsupportedValue("a content-type of parts says how nested values are written")
    only = nested.get(inline) if len(nested) == 1 else None
    body = only if isinstance(only, bytes) else b""
    if nested and not isinstance(only, bytes):
        if CONTENT_TYPE in headers:
            raise UnsupportedValue("content-type speaks of the parts that nested values are")
        written = multipart.encode(group(nested, is_line), inline)
        headers[CONTENT_TYPE], body = written.content_type, written.body
    if body:
        headers[DIGEST] = content_digest(body)
    return Wire(tuple(sorted(headers.items())), body)


def _wire_key(key: bytes) -> bytes:
    if len(key) in _ID_LENGTHS:
        return escape(key)
    if not key or key == DIGEST or unescape(key) != key:
        raise UnsupportedValue(f"the key {key[:40]!r} would not be read as it is written")
    return key


def _is_line(key: bytes, value: bytes) -> bool:
    if key == BODY and not value:
        raise UnsupportedValue("the empty body of a nested message would not be read")
    return len(value) <= LONGEST_LINE


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Join fields of one name with commas, as RFC 9110 (5.3) has it."""
    joined: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        joined.setdefault(name, []).append(value)
    return {name: b", ".join(values) for name, values in joined.items()}


def _keys(pairs: Iterable[tuple[bytes, bytes | Tabm]]) -> dict[bytes, bytes | Tabm]:
    message: dict[bytes, bytes | Tabm] = {}
    for name, value in pairs:
        key = unescape(name)
        if key in message:
            raise MalformedItem(f"the key {key[:40]!r} comes twice")
        message[key] = value
    return message
