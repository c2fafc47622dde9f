"""HTTP/1 through Hypercorn, which makes no other protocol of a request that asks for one."""

from __future__ import annotations

from typing import Any

import h11
from hypercorn.events import RawData
from hypercorn.protocol.h11 import H2ProtocolAssumedError, H11Protocol
from hypercorn.typing import H11SendableEvent

PREFACE = b"PRI * HTTP/2.0\r\n\r\n"
"""How HTTP/2 begins where both sides know that they speak it. RFC 9113, 3.4."""


class Http1(H11Protocol):
    """One connection without upgrades, whose small replies are one packet each.

    Hypercorn leaves a connection open for good after a bad WebSocket handshake, and the
    upgrade to HTTP/2 is no longer in the standard (RFC 9113, 3.1).
    """

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._head = b""

    async def _check_protocol(self, event: h11.Request) -> None:
        if (event.method, event.target, event.http_version) == (b"PRI", b"*", b"2.0"):
            raise H2ProtocolAssumedError(PREFACE + self.connection.trailing_data[0])

    async def _create_stream(self, request: h11.Request) -> None:
        if any(name == b"upgrade" for name, _ in request.headers):
            # A server may ignore the header. RFC 9110, 7.8.
            request = h11.Request(
                method=request.method,
                target=request.target,
                headers=[header for header in request.headers if header[0] != b"upgrade"],
                http_version=request.http_version,
            )
        await super()._create_stream(request)

    async def _send_h11_event(self, event: H11SendableEvent) -> None:
        try:
            data = self.connection.send(event)
        except h11.LocalProtocolError:
            if self.connection.their_state != h11.ERROR:
                raise
            return
        data = self._head + (data or b"")
        # Where the length is known the body follows at once. Others may come much later, as
        # the events of a stream do, and their readers want to know that it is open.
        waits = type(event) is h11.Response and any(
            name == b"content-length" for name, _ in event.headers
        )
        self._head = data if waits else b""
        if data and not waits:
            await self.send(RawData(data))
