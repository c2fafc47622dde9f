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


def bind(config: Config, port: int | None = None) -> Sockets:
    """Bind what the configuration asks for.

    Args:
        config: of the node.
        port: one that is reserved (`node.serving.reservation`) for several programs that share
            it; the configured one, for this program alone, unless given.

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
    shared = port is not None
    bound = bound_to(server.host, server.port if port is None else port, shared=shared)
    tcp = CountingListener(bound, connections)
    tcp.listen(BACKLOG)
    if not server.http3:
        return Sockets(tcp, None, tls, connections)
    try:
        number = tcp.getsockname()[1]
        udp = bound_to(server.host, number, socket.SOCK_DGRAM, shared=shared)
    except OSError:
        tcp.close()
        raise
    return Sockets(tcp, udp, tls, connections)


def address_of(config: Config, port: int) -> str:
    """Return the URL of a node that listens at `port`."""
    scheme = "http" if config.server.tls_certificate is None else "https"
    host = config.server.host
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


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


def bound_to(
    host: str,
    port: int,
    kind: socket.SocketKind = socket.SOCK_STREAM,
    *,
    shared: bool = False,
    patient: bool = False,
) -> socket.socket:
    """Return a socket at an address.

    Args:
        host: name or address.
        port: 0 is any.
        kind: TCP or UDP.
        shared: let others of this user that share it have the port, too; the system deals out
            connections among them.
        patient: let a TCP port be until the connections of who had it last are forgotten, which
            takes a minute; else a node that starts again need not wait.

    Raises:
        OSError: it cannot be had; names the address.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=kind)[0]
    except OSError as exc:
        raise OSError(exc.errno, exc.strerror, host) from None
    made = socket.socket(family, kind)
    try:
        if kind is socket.SOCK_STREAM and not patient:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.setblocking(False)
        made.bind(address)
    except OSError as exc:
        made.close()
        raise OSError(exc.errno, exc.strerror, f"{host}:{port}") from None
    return made
