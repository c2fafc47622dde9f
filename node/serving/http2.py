"""HTTP/2 through Hypercorn, where no request of a connection costs the others their replies."""

from __future__ import annotations

import h2.events
from h2.errors import ErrorCodes
from hypercorn.protocol.h2 import H2Protocol


class Http2(H2Protocol):
    """One connection.

    Hypercorn 0.18 ends a connection that has data for a request which is answered already,
    as one that is too large is (pgjones/hypercorn#365), and has CONNECT mean WebSocket.
    """

    async def _handle_events(self, events: list[h2.events.Event]) -> None:
        for event in events:
            match event:
                case h2.events.DataReceived(stream_id=stream) if stream not in self.streams:
                    length = event.flow_controlled_length
                    self.connection.acknowledge_received_data(length, stream)
                    await super()._handle_events([])
                case h2.events.RequestReceived(headers=headers) if _connects(headers):
                    self.connection.reset_stream(event.stream_id, ErrorCodes.REFUSED_STREAM)
                    await super()._handle_events([])
                case _:
                    await super()._handle_events([event])


def _connects(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name == b":method" and value == b"CONNECT" for name, value in headers)
