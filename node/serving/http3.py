"""HTTP/3 through Hypercorn, without what lets one client end it for all.

Hypercorn 0.18 serves all QUIC connections in one task and has a stream's data wait for the
application. There, data for a stream that is answered already, trailers, or a body that
nobody reads end or stop the task; each is reproduced in tests/node/serving/test_http3.py.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any

from aioquic.buffer import Buffer  # type: ignore[attr-defined]
from aioquic.h3.connection import ErrorCode
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.events import (
    ConnectionIdIssued,
    ConnectionIdRetired,
    ConnectionTerminated,
    ProtocolNegotiated,
    QuicEvent,
    StreamReset,
)
from aioquic.quic.packet import pull_quic_header
from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.asyncio.udp_server import UDPServer
from hypercorn.events import Event, RawData
from hypercorn.protocol.events import Body, EndBody, StreamClosed
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.h3 import H3Protocol
from hypercorn.protocol.quic import QuicProtocol
from hypercorn.typing import ConnectionState
from hypercorn.utils import parse_socket_addr

from actors.events import log

CONNECTION_ID_BYTES = 8

QUEUED_DATAGRAMS = 1024
"""Received and not looked at yet; more are lost, and sent again by their clients."""


class Endpoint(UDPServer):
    """A UDP socket and the QUIC connections on it."""

    def __init__(self, max_connections: int, *parts: Any) -> None:
        """Take at most `max_connections`, and what Hypercorn's endpoint is made of."""
        super().__init__(*parts)
        self._max_connections = max_connections
        self.protocol_queue = asyncio.Queue(QUEUED_DATAGRAMS)

    async def run(self) -> None:
        """Serve until the end was asked for and all connections are closed."""
        assert self.transport is not None  # noqa: S101 - asyncio calls connection_made first
        bound = self.transport.get_extra_info("socket")
        async with TaskGroup(self.loop) as tasks:
            self.protocol = self._connections = _Quic(
                self._max_connections,
                self.app,
                self.config,
                self.context,
                tasks,
                ConnectionState(self.state.copy()),
                parse_socket_addr(bound.family, bound.getsockname()),
                self.protocol_send,
            )
            while not (self.context.terminated.is_set() and self.protocol.idle):
                await self.protocol.handle(await self.protocol_queue.get())

    async def finish(self, seconds: float) -> None:
        """Take no more requests, give those under way some time, and close all connections."""
        await self.context.terminated.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._connections.quiet(), seconds)
        await self._connections.close()


class _Quic(QuicProtocol):
    def __init__(self, max_connections: int, *parts: Any) -> None:
        super().__init__(*parts)
        # Each is known by the identifier that the client chose, too, and soon by eight others.
        self._max_identifiers = max_connections * 10
        self._stream_ended = asyncio.Event()

    async def quiet(self) -> None:
        while any(one.h3 is not None and one.h3.streams for one in self.connections.values()):
            self._stream_ended.clear()
            await self._stream_ended.wait()

    async def close(self) -> None:
        for connection in {id(one): one for one in self.connections.values()}.values():
            connection.quic.close(error_code=ErrorCode.H3_NO_ERROR)
            await self._handle_events(connection)

    async def handle(self, event: Event) -> None:
        if isinstance(event, RawData) and len(self.connections) >= self._max_identifiers:
            try:
                header = pull_quic_header(Buffer(data=event.data), CONNECTION_ID_BYTES)
            except ValueError:
                return
            if header.destination_cid not in self.connections:
                return
        try:
            await super().handle(event)
        except Exception as exc:
            log.warning("quic_failed", error=repr(exc))

    async def _handle_events(self, connection: Any, client: Any = None) -> None:
        # As Hypercorn's, but with streams of ours.
        while (event := connection.quic.next_event()) is not None:
            match event:
                case ProtocolNegotiated():
                    connection.h3 = self._streams(connection, client)
                case ConnectionTerminated():
                    await connection.task.stop()
                    for identifier in connection.cids:
                        self.connections.pop(identifier, None)
                    connection.cids.clear()
                case ConnectionIdIssued():
                    connection.cids.add(event.connection_id)
                    self.connections[event.connection_id] = connection
                case ConnectionIdRetired():
                    connection.cids.discard(event.connection_id)
                    self.connections.pop(event.connection_id, None)
            if connection.h3 is not None:
                await connection.h3.handle(event)
        await self.send_all(connection)

    async def _handle_timer(self, timer: float, connection: Any) -> None:
        try:
            await super()._handle_timer(timer, connection)
        except Exception as exc:
            log.warning("quic_failed", error=repr(exc))

    def _streams(self, connection: Any, client: Any) -> _Streams:
        return _Streams(
            self._stream_ended,
            self.app,
            self.config,
            self.context,
            self.task_group,
            self.state,
            client,
            self.server,
            connection.quic,
            partial(self.send_all, connection),
        )


class _Streams(H3Protocol):
    # The requests of one connection. What one of them does wrong ends this connection at most.

    def __init__(self, stream_ended: asyncio.Event, *parts: Any) -> None:
        super().__init__(*parts)
        *_, self._quic, _ = parts
        self._stream_ended = stream_ended

    async def handle(self, quic_event: QuicEvent) -> None:
        try:
            for event in self.connection.handle_event(quic_event):
                await self._take(event)
            if isinstance(quic_event, ConnectionTerminated):
                for stream_id in list(self.streams):
                    await self._drop(stream_id)
            elif isinstance(quic_event, StreamReset):
                await self._drop(quic_event.stream_id)
        except Exception as exc:
            log.warning("quic_failed", error=repr(exc))
            self._quic.close(error_code=ErrorCode.H3_INTERNAL_ERROR)

    async def stream_send(self, event: StreamEvent) -> None:
        try:
            await super().stream_send(event)
            if isinstance(event, StreamClosed):
                self._stream_ended.set()
        except (AssertionError, ValueError):
            # The client has reset the stream, or closed the connection.
            await self._drop(event.stream_id)

    async def _take(self, event: H3Event) -> None:
        match event:
            case HeadersReceived():
                # Trailers are headers that name no method; they say nothing here.
                method = next((value for name, value in event.headers if name == b":method"), None)
                if method == b"CONNECT" or self.context.terminated.is_set():
                    self._quic.reset_stream(event.stream_id, ErrorCode.H3_REQUEST_REJECTED)
                elif method is not None:
                    await self._create_stream(event)
            case DataReceived() if stream := self.streams.get(event.stream_id):
                await stream.handle(Body(event.stream_id, event.data))
            case _:
                return
        if event.stream_ended and (stream := self.streams.get(event.stream_id)):
            await stream.handle(EndBody(event.stream_id))

    async def _drop(self, stream_id: int) -> None:
        if stream := self.streams.pop(stream_id, None):
            await stream.handle(StreamClosed(stream_id))
            self._stream_ended.set()
