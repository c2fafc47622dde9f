"""Refuse requests whose headers are too many, too long or ask for what is not done."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from node.limits.refusals import HeadersTooLarge, UnsupportedEncoding
from node.limits.refusing import refuse
from protocol.errors import SchedulerError


class HeadLimit:
    """Let through to `app` what has an ordinary head; it costs one walk over the headers."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, max_headers: int) -> None:
        """Refuse more than `max_headers` fields, or `max_bytes` of names, values and path."""
        self._app = app
        self._max_bytes = max_bytes
        self._max_headers = max_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            # Nothing here speaks it; a close before the handshake is a 403.
            await receive()
            await send({"type": "websocket.close"})
        elif scope["type"] == "http" and (fault := self._fault(scope)):
            await refuse(fault, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _fault(self, scope: Scope) -> SchedulerError | None:
        headers = scope["headers"]
        if len(headers) > self._max_headers:
            return HeadersTooLarge(f"{len(headers)} headers, over {self._max_headers}")
        size = len(scope["raw_path"]) + len(scope["query_string"])
        for name, value in headers:
            size += len(name) + len(value)
            if name == b"content-encoding" and value.strip().lower() != b"identity":
                return UnsupportedEncoding()
        if size > self._max_bytes:
            return HeadersTooLarge(f"{size} bytes of headers, over {self._max_bytes}")
        return None
