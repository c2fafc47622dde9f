"""Serve an ASGI application with Hypercorn: HTTP/1.1, HTTP/2 and, if asked for, HTTP/3."""

from __future__ import annotations

import asyncio
import copy

from hypercorn.asyncio import serve as run_hypercorn
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config as HypercornConfig
from hypercorn.config import Sockets as HypercornSockets
from hypercorn.utils import wrap_app
from starlette.types import ASGIApp

from node.config import Config
from node.serving.reporting import Reporter, report_lost
from node.serving.sockets import Sockets

OVERDUE_SECONDS = 2.0
"""How much longer than its grace the server may take to end; since Python 3.12 Hypercorn waits
for open connections without an end."""

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
    servers = [asyncio.create_task(_tcp(app, settings, stop))]
    if sockets.udp is not None:
        servers.append(asyncio.create_task(_udp(app, settings, sockets, stop)))
    try:
        await asyncio.wait(servers, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await asyncio.wait(servers, timeout=config.server.graceful_seconds + OVERDUE_SECONDS)
    finally:
        for server in servers:
            server.cancel()
        outcomes = await asyncio.gather(*servers, return_exceptions=True)
        sockets.close()
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


class _Settings(HypercornConfig):
    # Hypercorn's own configuration: what it does not ask for stays at its default.

    def __init__(self, config: Config, sockets: Sockets) -> None:
        server, limits = config.server, config.limits
        self._sockets = sockets
        self.logger_class = Reporter
        self.include_server_header = False
        self.graceful_timeout = server.graceful_seconds
        # Hypercorn's idle time ends with the last byte of the headers, not with the first.
        self.keep_alive_timeout = limits.header_seconds
        self.ssl_handshake_timeout = limits.header_seconds
        self.keep_alive_max_requests = UNLIMITED
        self.h11_max_incomplete_size = limits.header_bytes + HEAD_SLACK_BYTES
        self.h2_max_header_list_size = limits.header_bytes + HEAD_SLACK_BYTES
        self.max_connections = limits.connections
        if server.tls_certificate is not None:
            self.certfile = str(server.tls_certificate)
            self.keyfile = str(server.tls_key)
        if server.http3:
            self.alt_svc_headers = [f'h3=":{sockets.port}"; ma=86400']

    def create_sockets(self) -> HypercornSockets:
        """Hand over the socket that is listening already."""
        tcp = [self._sockets.tcp]
        return HypercornSockets(tcp, [], []) if self.ssl_enabled else HypercornSockets([], tcp, [])


async def _tcp(app: ASGIApp, settings: _Settings, stop: asyncio.Event) -> None:
    await run_hypercorn(app, settings, shutdown_trigger=stop.wait, mode="asgi")  # type: ignore[arg-type]


async def _udp(app: ASGIApp, settings: _Settings, sockets: Sockets, stop: asyncio.Event) -> None:
    # aioquic is only needed, and only imported, where HTTP/3 is asked for.
    from node.serving.http3 import Endpoint

    loop, context = asyncio.get_running_loop(), WorkerContext(None)
    settings = copy.copy(settings)
    # No stream may hold up the others by what its application has not taken yet.
    settings.max_app_queue_size = 0
    wrapped = wrap_app(app, settings.wsgi_max_body_size, "asgi")  # type: ignore[arg-type]
    transport, endpoint = await loop.create_datagram_endpoint(
        lambda: Endpoint(settings.max_connections, wrapped, loop, settings, context, {}),
        sock=sockets.udp,
    )
    running = asyncio.create_task(endpoint.run())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
        await endpoint.finish(settings.graceful_timeout)
    finally:
        running.cancel()
        stopping.cancel()
        await asyncio.gather(running, stopping, return_exceptions=True)
        transport.close()
