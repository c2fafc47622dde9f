"""Replies: a message, and how it is written in the codec that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from starlette.responses import Response

from node.http.legible import legible
from node.http.negotiation import ANS104, AOS2, HTTPSIG, JSON, Form
from protocol.codecs import ao_types
from protocol.codecs.ans104_tabm import item_of
from protocol.codecs.httpsig_commitment import to_wire
from protocol.codecs.json_codec import encode as to_json
from protocol.codecs.portable import encode
from protocol.errors import InvalidSignature, MalformedItem, NotFound, UnsupportedValue
from protocol.formats.enclosed import enclosed
from protocol.message_ids import linked
from protocol.tabm import COMMITMENTS, Tabm

Fields = tuple[tuple[bytes, bytes], ...]

NO_STORE: Fields = ((b"cache-control", b"no-store"),)
"""Of a reply that the next slot changes."""

_SAFE: Fields = (
    (b"x-content-type-options", b"nosniff"),
    # A message may be a web page by whoever sent it, and our own pages live at this origin.
    (b"content-security-policy", b"sandbox"),
)
MAX_COPIED_BYTES = 1024
"""Longest value that is repeated as a header beside a body that holds it, too."""
MAX_COPIES_BYTES = 8 << 10
"""Of all such headers: clients give up at 16 KiB."""

_HTTPSIG = HTTPSIG.encode()
_UNWRITABLE = (UnsupportedValue, InvalidSignature, MalformedItem)
"""How a codec refuses a message: by its keys, because its commitments are none there, or because
a key stands there nested and as a link."""

_NOT_COPIED = frozenset((b"ao-types", b"body", b"codec-device", b"content-type", b"data"))
"""Keys that say something else as headers, or are what the body is for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a route answers with.

    Attributes:
        tabm: the message, nested values inside it, with its commitments if it is signed.
        fields: headers of HTTP that are no part of the message; names in lower case.
        large: whether writing it would hold up the event loop.
        ours: whether the node itself says it. What is inside a message with commitments is
            the word of whoever sent that message.
    """

    tabm: Tabm
    fields: Fields = ()
    large: bool = False
    ours: bool = True

    def select(self, keys: Iterable[str]) -> Reply:
        """Return the part of the message that a path leads to.

        Raises:
            NotFound: there is none.
        """
        part: Tabm | bytes = self.tabm
        kind, ours = b"", self.ours
        for key in keys:
            name = key.encode()
            if not isinstance(part, bytes):
                kind = _types(part).get(name, b"")
                ours = ours and COMMITMENTS not in part
            inside = None if isinstance(part, bytes) else part.get(name)
            if inside is None:
                raise NotFound(f"the message has no key {key[:80]!r}")
            part = inside
        if isinstance(part, bytes):
            part = {b"ao-result": b"body", b"body": part}
            if kind:
                part[b"ao-types"] = b'body="%s"' % kind
        return Reply(part, self.fields, self.large, ours)


def render(reply: Reply, form: Form) -> Response:
    """Write a reply in the codec asked for, or in the next one that can carry it.

    So what was scheduled is never answered with an error: not where an ANS-104 item is asked
    for and the assignment is none, nor where headers cannot carry a key, nor where JSON
    meets what is no text.

    Raises:
        UnsupportedValue: no codec can carry it.
    """
    first, *others = _WRITERS[form.codec]
    try:
        return first(reply, form.bundle)
    except _UNWRITABLE:
        for write in others:
            with suppress(*_UNWRITABLE):
                return write(reply, form.bundle)
        raise


def respond(reply: Reply, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Response:
    """Return the response with the reply's own fields, and what guards browsers."""
    response = Response(body)
    said = list(headers)
    names = {name for name, _ in said}
    own = [field for field in reply.fields if field[0] not in names]
    # Ours first: of two that contradict each other browsers take that one.
    response.raw_headers = [*_SAFE, *said, *own, (b"content-length", b"%d" % len(body))]
    return response


def _httpsig(reply: Reply, bundle: bool) -> Response:
    if reply.tabm.get(b"codec-device", _HTTPSIG) != _HTTPSIG:
        raise UnsupportedValue("a reader would take the message's codec-device for the reply's")
    try:
        wire = to_wire(reply.tabm, bundle=bundle)
    except UnsupportedValue:
        wire = to_wire(enclosed(reply.tabm), bundle=bundle)
    return respond(reply, wire.headers, wire.body)


def _json(reply: Reply, bundle: bool) -> Response:
    tabm = reply.tabm if bundle else linked(reply.tabm)
    try:
        body = to_json(tabm)
    except UnsupportedValue:
        # Only now, for almost every message is text.
        tabm = legible(tabm)
        body = to_json(tabm)
    return respond(reply, _described(b"application/json", JSON, tabm), body)


def _ans104(reply: Reply, _bundle: bool) -> Response:
    item = item_of(reply.tabm)
    if item is None:
        raise UnsupportedValue("the reply is no signed ANS-104 item")
    return respond(reply, _described(b"application/ans104", ANS104, reply.tabm), item.encode())


_WRITERS: Mapping[str, tuple[Callable[[Reply, bool], Response], ...]] = {
    HTTPSIG: (_httpsig, _ans104, _json),
    JSON: (_json, _httpsig, _ans104),
    AOS2: (_json, _httpsig, _ans104),
    ANS104: (_ans104, _httpsig, _json),
}


def _described(media_type: bytes, codec: str, tabm: Tabm) -> list[tuple[bytes, bytes]]:
    headers = [(b"content-type", media_type), (b"codec-device", codec.encode())]
    room = MAX_COPIES_BYTES
    for name, value in _copies(tabm):
        room -= len(name) + len(value)
        if room >= 0:
            headers.append((name, value))
    return headers


def _copies(tabm: Tabm) -> Iterable[tuple[bytes, bytes]]:
    # A client that wants one number need not read the codec: each scalar is a header, too,
    # as far as it can be one.
    scalars = {
        name: value
        for name, value in tabm.items()
        if isinstance(value, bytes) and len(value) <= MAX_COPIED_BYTES and name not in _NOT_COPIED
    }
    try:
        return [field for field in encode(scalars).headers if field[0] in scalars]
    except UnsupportedValue:
        return ()


def _types(tabm: Tabm) -> dict[bytes, bytes]:
    text = tabm.get(ao_types.KEY, b"")
    try:
        return ao_types.read(text) if isinstance(text, bytes) else {}
    except MalformedItem:
        # Whoever signed the message is free to write nonsense there.
        return {}
