"""A request as the routes see it: where it goes, what it asks, and the message it is."""

from __future__ import annotations

from functools import cached_property

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from node.http.negotiation import ANS104, HTTPSIG, Form, reply_form, request_codec
from node.http.path import Path
from protocol.codecs.body_parts import REQUEST, Bounds
from protocol.codecs.httpsig_commitment import from_wire
from protocol.codecs.json_codec import decode as from_json
from protocol.codecs.wire import Wire
from protocol.errors import TooLarge
from protocol.message import Message
from protocol.tabm import Tabm

Headers = list[tuple[bytes, bytes]]


class Call:
    """One request, read to its end. What it carries is decoded when somebody asks for it.

    Attributes:
        method: of HTTP.
        path: what it asks for.
        target: the path and query as they came.
        headers: (name in lower case, value) as they came.
        body: the bytes after the headers.
    """

    def __init__(
        self,
        method: str,
        path: Path,
        target: str,
        headers: Headers,
        body: bytes,
        bounds: Bounds = REQUEST,
    ) -> None:
        """Take a request, and what its body may have at most."""
        self.method = method
        self.path = path
        self.target = target
        self.headers = headers
        self.body = body
        self._bounds = bounds

    @cached_property
    def fields(self) -> dict[str, str]:
        """The headers by name; of several with one name, all of them joined by commas."""
        fields: dict[str, str] = {}
        for name, value in self.headers:
            key, text = name.decode("latin-1"), value.decode("latin-1")
            fields[key] = f"{fields[key]}, {text}" if key in fields else text
        return fields

    @cached_property
    def codec(self) -> str:
        """Device name of the codec the request is written in."""
        return request_codec(self.path.keys, self.fields)

    @cached_property
    def item(self) -> Message | None:
        """The ANS-104 item that the request carries, not verified; None in another codec.

        Raises:
            MalformedItem, UnsupportedSignature, TooLarge: it cannot be read.
        """
        return Message.decode(self.body) if self.codec == ANS104 and self.body else None

    @cached_property
    def tabm(self) -> Tabm:
        """The request as a message in another codec than ANS-104, with its commitments.

        Raises:
            MalformedItem: it cannot be read.
            TooLarge: it has too many parts, or nests too deeply.
        """
        if self.codec == HTTPSIG:
            return from_wire(Wire(tuple(self.headers), self.body), self._bounds)
        tabm = from_json(self.body)
        _require_bounded(tabm, self._bounds)
        return tabm

    @cached_property
    def form(self) -> Form:
        """How the reply shall be written.

        Raises:
            UnsupportedValue: a codec that is not built is required.
        """
        return reply_form(self.get)

    @property
    def writes(self) -> bool:
        """Whether it is sent to change something."""
        return self.method == "POST"

    def get(self, name: str) -> str | None:
        """Return what the request says under `name`: in its address, a header, or its message.

        An empty value is none.
        """
        return self.path.keys.get(name) or self.fields.get(name) or self._said(name)

    def _said(self, name: str) -> str | None:
        if self.codec == HTTPSIG or not self.body:
            # Its keys are its headers.
            return None
        keys = self.tabm if self.item is None else self.item.keys
        value = keys.get(name.encode())
        return value.decode("utf-8", "replace") if isinstance(value, bytes) and value else None


async def read_call(scope: Scope, receive: Receive, bounds: Bounds = REQUEST) -> Call:
    """Read a request to its end.

    Raises:
        InvalidInput: its address is no path.
        ClientDisconnect: whoever sent it is gone.
    """
    raw, query = scope["raw_path"].partition(b"?")[0], scope["query_string"]
    path = Path.parse(raw, query)
    target = (raw + b"?" + query if query else raw).decode("ascii")
    body = await _body(receive)
    return Call(scope["method"], path, target, scope["headers"], body, bounds)


async def _body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _require_bounded(tabm: Tabm, bounds: Bounds) -> None:
    # As many maps, nested as deeply, as a multipart body may have.
    level, maps = [tabm], 0
    for _ in range(bounds.depth + 1):
        level = [value for each in level for value in each.values() if not isinstance(value, bytes)]
        maps += len(level)
    if level:
        raise TooLarge(f"the message is nested more than {bounds.depth} levels deep")
    if maps > bounds.parts:
        raise TooLarge(f"the message has more than {bounds.parts} parts")
