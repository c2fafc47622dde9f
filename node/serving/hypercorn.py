"""Serve an ASGI application with Hypercorn: HTTP/1.1, HTTP/2 and, if asked for, HTTP/3.

Hypercorn's protocols and streams are used from within a loop of our own. Its own cannot bound
the connections of an address, and since Python 3.12 ends only when the last client does
(pgjones/hypercorn#308).
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Coroutine
from typing import Any

from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config as HypercornConfig
from hypercorn.utils import wrap_app
from starlette.types import ASGIApp

from actors.events import log
from node.config import Config
from node.serving.connection import Connection
from node.serving.reporting import Reporter, report_lost
from node.serving.sockets import BACKLOG, Sockets

HEAD_SLACK_BYTES = 8192
"""What the server reads of headers beyond the limit: those a little too long get a reply that
says so from us, longer ones a bare 431 from the server."""

UNLIMITED = 1 << 62


async def serve(app: ASGIApp, config: Config, sockets: Sockets, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, and then let requests under way end within their grace.

    The sockets are closed on return.
    """
    asyncio.get_running_loop().set_exception_handler(report_lost)
    settings = _Settings(config, sockets)
    servers: list[Coroutine[Any, Any, None]] = [_tcp(app, settings, sockets, stop)]
    if sockets.udp is not None:
        servers.append(_udp(app, settings, sockets, stop))
    async with asyncio.TaskGroup() as tasks:
        for server in servers:
            tasks.create_task(server)


class _Settings(HypercornConfig):
    # Hypercorn's own configuration: what it does not ask for stays at its default.

    def __init__(self, config: Config, sockets: Sockets) -> None:
        server, limits = config.server, config.limits
        self.logger_class = Reporter
        self.include_server_header = False
        self.graceful_timeout = server.graceful_seconds
        # Hypercorn's idle time ends with the last byte of the headers, not with the first.
        self.keep_alive_timeout = limits.header_seconds
        self.keep_alive_max_requests = UNLIMITED
        self.h11_max_incomplete_size = limits.header_bytes + HEAD_SLACK_BYTES
        self.h2_max_header_list_size = limits.header_bytes + HEAD_SLACK_BYTES
        self.max_connections = limits.connections
        if server.http3:
            self.certfile = str(server.tls_certificate)
            self.keyfile = str(server.tls_key)
            self.alt_svc_headers = [f'h3=":{sockets.port}"; ma=86400']


async def _tcp(app: ASGIApp, settings: _Settings, sockets: Sockets, stop: asyncio.Event) -> None:
    loop, context = asyncio.get_running_loop(), WorkerContext(None)
    wrapped = _wrapped(app)
    connections: dict[asyncio.Task[None], Connection] = {}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(wrapped, loop, settings, context, {}, reader, writer)
        if task := asyncio.current_task():
            connections[task] = connection
            task.add_done_callback(connections.pop)
        await connection

    server = await asyncio.start_server(
        connected, sock=sockets.tcp, backlog=BACKLOG, **_tls(sockets, settings)
    )
    try:
        await stop.wait()
    finally:
        server.close()
        await context.terminated.set()
        for connection in connections.values():
            connection.end_if_idle()
        await _ended(list(connections), settings.graceful_timeout)


async def _ended(tasks: list[asyncio.Task[None]], seconds: float) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _tls(sockets: Sockets, settings: _Settings) -> dict[str, Any]:
    if sockets.tls is None:
        return {}
    seconds = settings.keep_alive_timeout
    return {
        "ssl": sockets.tls,
        "ssl_handshake_timeout": seconds,
        "ssl_shutdown_timeout": seconds,
    }


async def _udp(app: ASGIApp, settings: _Settings, sockets: Sockets, stop: asyncio.Event) -> None:
    # aioquic is only needed, and only imported, where HTTP/3 is asked for.
    from node.serving.http3 import Endpoint

    loop, context = asyncio.get_running_loop(), WorkerContext(None)
    settings = copy.copy(settings)
    # No stream may hold up the others by what its application has not taken yet.
    settings.max_app_queue_size = 0
    parts: tuple[Any, ...] = (_wrapped(app), loop, settings, context, {})
    transport, endpoint = await loop.create_datagram_endpoint(
        lambda: Endpoint(settings.max_connections, *parts), sock=sockets.udp
    )
    running = asyncio.create_task(endpoint.run())
    running.add_done_callback(_report_end)
    try:
        await stop.wait()
        await endpoint.finish(settings.graceful_timeout)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        transport.close()


def _report_end(endpoint: asyncio.Task[None]) -> None:
    # The other versions go on without it.
    if not endpoint.cancelled() and (error := endpoint.exception()):
        log.warning("http3_ended", error=repr(error))


def _wrapped(app: ASGIApp) -> Any:
    return wrap_app(app, 0, "asgi")  # type: ignore[arg-type]
