"""One TCP connection and the protocol that is spoken on it."""

from __future__ import annotations

import asyncio
from typing import Any

from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.events import Event, RawData, Updated
from hypercorn.protocol.h11 import H2ProtocolAssumedError
from hypercorn.typing import ConnectionState
from hypercorn.utils import parse_socket_addr

from actors.events import log
from node.serving.http1 import Http1
from node.serving.http2 import Http2


class Connection(TCPServer):
    """Hypercorn's connection with protocols of ours, and a timer where it has a task."""

    _idle: asyncio.TimerHandle | None = None
    _ending = False

    async def run(self) -> None:
        """Serve it to its end."""
        try:
            async with TaskGroup(self.loop) as tasks:
                self._task_group = tasks
                self.protocol = self._protocol(tasks)
                await self.protocol.initiate()
                self._rest()
                await self._read_until_closed()
        except OSError:
            pass  # the client is gone
        except Exception as exc:
            log.warning("connection_failed", error=_innermost(exc))
        finally:
            self._work()
            await self._close()

    async def _read_until_closed(self) -> None:
        try:
            await self._read_data()
        finally:
            # What is under way ends by itself; nothing new may be begun to hang up.
            self._ending = True
            self._work()

    async def protocol_send(self, event: Event) -> None:
        """Do what the protocol asks for: send, close, or mind whether a request is under way."""
        if not isinstance(event, Updated):
            await super().protocol_send(event)
        elif event.idle:
            self._work()
            self._rest()
        else:
            self._work()

    def end_if_idle(self) -> None:
        """Hang up unless a request is under way; then that happens once it is answered."""
        if self._idle is not None:
            self._work()
            self._hang_up()

    def _rest(self) -> None:
        if self._ending:
            return
        if self.context.terminated.is_set():
            self._hang_up()
        else:
            self._idle = self.loop.call_later(self.config.keep_alive_timeout, self._hang_up)

    def _work(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _hang_up(self) -> None:
        self._task_group.spawn(self._initiate_server_close)

    def _protocol(self, tasks: TaskGroup) -> Any:
        bound = self.writer.get_extra_info("socket")
        tls = self.writer.get_extra_info("ssl_object")
        return _Protocol(
            tls.selected_alpn_protocol() if tls else None,
            self.app,
            self.config,
            self.context,
            tasks,
            ConnectionState(self.state),
            tls is not None,
            parse_socket_addr(bound.family, bound.getpeername()),
            parse_socket_addr(bound.family, bound.getsockname()),
            self.protocol_send,
        )


class _Protocol:
    # HTTP/2 is agreed on while TLS begins, or begun without asking by a client that knows.

    def __init__(self, agreed: str | None, *parts: Any) -> None:
        self._parts = parts
        self._spoken: Http1 | Http2 = Http2(*parts) if agreed == "h2" else Http1(*parts)

    async def initiate(self) -> None:
        await self._spoken.initiate()

    async def handle(self, event: Event) -> None:
        try:
            await self._spoken.handle(event)
        except H2ProtocolAssumedError as assumed:
            self._spoken = Http2(*self._parts)
            # What announced HTTP/2 was no request: the connection is idle still.
            *_, send = self._parts
            await send(Updated(idle=True))
            await self._spoken.initiate()
            await self._spoken.handle(RawData(assumed.data))


def _innermost(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return repr(error)
