"""Refuse requests whose headers are too many, too long or ask for what is not done."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from node.errors import (
    HeadersTooLarge,
    MalformedRequest,
    UnsupportedEncoding,
    UnsupportedMethod,
)
from node.limits.refusing import Refuser
from protocol.errors import SchedulerError

VERSIONS = frozenset({"1.0", "1.1", "2", "3"})
NEVER = frozenset({"CONNECT", "TRACE"})
"""Methods for proxies, and for looking at what proxies add."""

FRAMING = frozenset({b"content-length", b"transfer-encoding"})
"""Two of these are read differently by different servers: how requests are smuggled past a
proxy. RFC 9112, 6.3."""


class HeadLimit:
    """Let through to `app` what has an ordinary head; it costs one walk over the headers."""

    def __init__(self, app: ASGIApp, refuse: Refuser, *, max_bytes: int, max_headers: int) -> None:
        """Refuse more than `max_headers` fields, or `max_bytes` of names, values and path."""
        self._app = app
        self._refuse = refuse
        self._max_bytes = max_bytes
        self._max_headers = max_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            # Nothing here speaks it; a close before the handshake is a 403.
            await receive()
            await send({"type": "websocket.close"})
        elif scope["type"] == "http" and (fault := self._fault(scope)):
            await self._refuse(fault, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _fault(self, scope: Scope) -> SchedulerError | None:
        if scope["http_version"] not in VERSIONS:
            return MalformedRequest("the request is of no version of HTTP that is spoken here")
        if scope["method"] in NEVER:
            return UnsupportedMethod(f"{scope['method']} is not served")
        size = len(scope["raw_path"]) + len(scope["query_string"])
        return self._fault_in_headers(scope["headers"], size)

    def _fault_in_headers(
        self, headers: list[tuple[bytes, bytes]], size: int
    ) -> SchedulerError | None:
        framings = 0
        for name, value in headers:
            size += len(name) + len(value)
            framings += name in FRAMING
            if name == b"content-encoding" and value.strip().lower() != b"identity":
                return UnsupportedEncoding()
        if len(headers) > self._max_headers:
            return HeadersTooLarge(f"{len(headers)} headers, over {self._max_headers}")
        if size > self._max_bytes:
            return HeadersTooLarge(f"{size} bytes of headers, over {self._max_bytes}")
        if framings > 1:
            return MalformedRequest("more than one header says how long the body is")
        return None
