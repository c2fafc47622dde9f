"""HTTP/1 through Hypercorn, which makes no other protocol of a request that asks for one."""

from __future__ import annotations

import h11
from hypercorn.protocol.h11 import H2ProtocolAssumedError, H11Protocol

PREFACE = b"PRI * HTTP/2.0\r\n\r\n"
"""How HTTP/2 begins where both sides know that they speak it. RFC 9113, 3.4."""


class Http1(H11Protocol):
    """One connection without upgrades.

    Hypercorn leaves a connection open for good after a bad WebSocket handshake, and the
    upgrade to HTTP/2 is no longer in the standard (RFC 9113, 3.1).
    """

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
