"""HTTP/2 through Hypercorn, where no request of a connection costs the others their replies."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import h2.events
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from hypercorn.events import Closed, Event
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.events import StreamClosed
from hypercorn.protocol.h2 import BUFFER_LOW_WATER, H2Protocol, StreamBuffer
from priority import MissingStreamError  # type: ignore[attr-defined]


class Http2(H2Protocol):
    """One connection.

    Hypercorn 0.18 ends a connection that has data for a request which is answered already,
    as one that is too large is (pgjones/hypercorn#365), or one whose path is no ASCII. It has
    CONNECT mean WebSocket, and leaves a client waiting for the rest of a reply that was given up.
    """

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        # Hypercorn only tells clients of the limit: without this the decoder has its own.
        self.connection.decoder.max_header_list_size = self.config.h2_max_header_list_size

    async def handle(self, event: Event) -> None:
        """Take what was received, or the end of the connection."""
        await super().handle(event)
        if isinstance(event, Closed):
            # Applications that wait for room would wait for ever.
            for stream_id in list(self.stream_buffers):
                await self._forget(stream_id)

    async def stream_send(self, event: StreamEvent) -> None:
        """Send a part of a reply, or end it."""
        if isinstance(event, StreamClosed):
            await self._reset_unfinished(event.stream_id)
        await super().stream_send(event)

    async def _reset_unfinished(self, stream_id: int) -> None:
        buffer = self.stream_buffers.get(stream_id)
        if isinstance(buffer, _Buffer) and not buffer.finished:
            await buffer.close()
            with suppress(ProtocolError):
                self.connection.reset_stream(stream_id, ErrorCodes.INTERNAL_ERROR)
                await self._flush()

    async def _create_stream(self, request: h2.events.RequestReceived) -> None:
        await super()._create_stream(request)
        # In time: the application runs at the next turn of the loop.
        self.stream_buffers[request.stream_id] = _Buffer(self.context.event_class)

    async def _handle_events(self, events: list[h2.events.Event]) -> None:
        for event in events:
            match event:
                case h2.events.DataReceived(stream_id=stream) if stream not in self.streams:
                    length = event.flow_controlled_length
                    self.connection.acknowledge_received_data(length, stream)
                    await super()._handle_events([])
                case h2.events.RequestReceived(headers=headers) if error := _fault(headers):
                    self.connection.reset_stream(event.stream_id, error)
                    await super()._handle_events([])
                case h2.events.StreamReset(stream_id=stream):
                    await super()._handle_events([event])
                    await self._forget(stream)
                case _:
                    await super()._handle_events([event])

    async def _send_data(self, stream_id: int) -> None:
        # The stream may have been taken back while the last piece was on its way.
        with suppress(KeyError, MissingStreamError):
            await super()._send_data(stream_id)

    async def _forget(self, stream_id: int) -> None:
        # Hypercorn keeps the buffer of a request that was taken back before its reply: a client
        # that does nothing else would fill the memory.
        if buffer := self.stream_buffers.pop(stream_id, None):
            await buffer.close()
            with suppress(MissingStreamError):
                self.priority.remove_stream(stream_id)


class _Buffer(StreamBuffer):
    # Hypercorn's lets the application go on after each look at the buffer, however full it
    # is: a client that gives no room would have a stream of events pile up in memory.

    @property
    def finished(self) -> bool:
        return self._complete

    async def pop(self, max_length: int) -> bytes:
        data = bytes(self.buffer[:max_length])
        del self.buffer[:max_length]
        if len(self.buffer) < BUFFER_LOW_WATER:
            await self._paused.set()
        if not self.buffer:
            await self._is_empty.set()
        return data


def _fault(headers: list[tuple[bytes, bytes]]) -> ErrorCodes | None:
    named = dict(headers)
    if named[b":method"] == b"CONNECT":
        return ErrorCodes.REFUSED_STREAM
    if not (named[b":method"].isascii() and named[b":path"].isascii()):
        return ErrorCodes.PROTOCOL_ERROR
    return None
