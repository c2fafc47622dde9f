"""The sockets that a node listens on, bound before anything else is begun."""

from __future__ import annotations

import resource
import socket
import ssl
from dataclasses import dataclass

from node.config import Config
from node.limits.addresses import Clients
from node.limits.connections import Connections, CountingListener
from node.serving.tls import tls_of

BACKLOG = 1024
"""Connections that the system holds until they are accepted."""

RESERVED_FILES = 256
"""Files that are kept for what is no connection: the store, large messages, peers."""


@dataclass(frozen=True, slots=True)
class Sockets:
    """Bound sockets.

    Attributes:
        tcp: listening; connections wait until a server takes them.
        udp: for HTTP/3, at the same port, or None.
        tls: what connections are accepted with, or None for plain ones.
        connections: counts those of `tcp`.
    """

    tcp: socket.socket
    udp: socket.socket | None
    tls: ssl.SSLContext | None
    connections: Connections

    @property
    def port(self) -> int:
        """The port of both."""
        return int(self.tcp.getsockname()[1])

    def close(self) -> None:
        """Close what no server has closed yet."""
        for one in (self.tcp, self.udp):
            if one is not None:
                one.close()


def bind(config: Config) -> Sockets:
    """Bind what the configuration asks for.

    Raises:
        OSError: the address cannot be listened on; names it.
        ConfigInvalid: certificate or key cannot be used.
    """
    server, limits = config.server, config.limits
    tls = tls_of(server)
    connections = Connections(
        limits.connections_per_address,
        room_for(limits.connections),
        Clients(server.trusted_proxies),
    )
    bound = _bound(server.host, server.port, socket.SOCK_STREAM)
    tcp = CountingListener(bound, connections)
    tcp.listen(BACKLOG)
    if not server.http3:
        return Sockets(tcp, None, tls, connections)
    try:
        udp = _bound(server.host, tcp.getsockname()[1], socket.SOCK_DGRAM)
    except OSError:
        tcp.close()
        raise
    return Sockets(tcp, udp, tls, connections)


def room_for(connections: int) -> int:
    """Let this process open as many files as so many connections need; return how many it may have.

    A process that runs out of files cannot write to its store either.
    """
    wanted = connections + RESERVED_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY in (soft, hard) or soft >= wanted:
        return connections
    granted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    return max(granted - RESERVED_FILES, 1)


def _bound(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=kind)[0]
    except OSError as exc:
        raise OSError(exc.errno, exc.strerror, host) from None
    made = socket.socket(family, kind)
    try:
        if kind is socket.SOCK_STREAM:
            # A node that starts again need not wait for the connections of the last one.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setblocking(False)
        made.bind(address)
    except OSError as exc:
        made.close()
        raise OSError(exc.errno, exc.strerror, f"{host}:{port}") from None
    return made
