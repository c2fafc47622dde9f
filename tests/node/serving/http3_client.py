"""A client for HTTP/3 that can also do what it should not."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, QuicEvent, StreamReset

from tests.node.serving.living import PATIENCE_SECONDS

Headers = list[tuple[bytes, bytes]]


class Client(QuicConnectionProtocol):
    """One connection."""

    def __init__(self, *parts: Any, **named: Any) -> None:
        super().__init__(*parts, **named)
        self.http = H3Connection(self._quic)
        self._headers: dict[int, Headers] = {}
        self._bodies: defaultdict[int, bytes] = defaultdict(bytes)
        self._ended: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)
        self.terminated = asyncio.Event()

    def quic_event_received(self, event: QuicEvent) -> None:
        """Collect replies."""
        if isinstance(event, ConnectionTerminated):
            self.terminated.set()
        if isinstance(event, StreamReset):
            self._ended[event.stream_id].set()
        for received in self.http.handle_event(event):
            if isinstance(received, HeadersReceived):
                self._headers[received.stream_id] = received.headers
            if isinstance(received, DataReceived):
                self._bodies[received.stream_id] += received.data
            if received.stream_ended:
                self._ended[received.stream_id].set()

    def begin(self, method: bytes, path: bytes, *, ended: bool = False) -> int:
        """Send the headers of a request."""
        stream = self._quic.get_next_available_stream_id()
        headers = [(b":method", method), (b":scheme", b"https"), (b":path", path)]
        self.http.send_headers(stream, [*headers, (b":authority", b"localhost")], ended)
        self.transmit()
        return stream

    def more(self, stream: int, body: bytes, *, ended: bool = False) -> None:
        """Send some of a body."""
        self.http.send_data(stream, body, ended)
        self.transmit()

    def trailers(self, stream: int) -> None:
        """Send headers behind the body, and no more."""
        self.http.send_headers(stream, [(b"x-trailer", b"1")], True)
        self.transmit()

    async def reply(self, stream: int) -> tuple[int, bytes]:
        """Return status and body; status 0 stands for a stream that was reset."""
        await asyncio.wait_for(self._ended[stream].wait(), PATIENCE_SECONDS)
        headers = dict(self._headers.get(stream, [(b":status", b"0")]))
        return int(headers[b":status"]), self._bodies[stream]

    async def get(self, path: bytes) -> tuple[int, bytes]:
        """Send a GET and return its reply."""
        return await self.reply(self.begin(b"GET", path, ended=True))


@asynccontextmanager
async def connected(port: int, certificate: Path):
    """Connect to a server on this machine that has the certificate."""
    settings = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name="localhost")
    settings.load_verify_locations(cafile=str(certificate))
    async with connect("127.0.0.1", port, configuration=settings, create_protocol=Client) as client:
        yield client
