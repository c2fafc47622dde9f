"""A port that several programs share, and nobody else has."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from node.config import Config, Server
from node.serving.reservation import Reservation
from node.serving.sockets import bind, bound_to


def at(port: int) -> Config:
    return Config(server={"port": port})


def test_gateways_share_a_reserved_port() -> None:
    """Two of them listen at it, and every connection comes to one of them."""
    with (
        closing(Reservation(Server(port=0))) as reserved,
        closing(bind(at(0), reserved.port)) as one,
        closing(bind(at(0), reserved.port)) as other,
    ):
        assert one.port == other.port == reserved.port
        clients = [socket.create_connection(("127.0.0.1", reserved.port)) for _ in range(40)]
        taken = [accepted(gateway.tcp) for gateway in (one, other)]
        for client in clients:
            client.close()
        assert sum(taken) == 40
        # By chance: all at one of them once in a million million times.
        assert min(taken) > 0


def test_another_node_does_not_get_a_reserved_port() -> None:
    """Neither one of several programs, nor one of a single one; not before anybody listens."""
    with closing(Reservation(Server(port=0))) as reserved:
        with pytest.raises(OSError, match=rf"127\.0\.0\.1:{reserved.port}"):
            Reservation(Server(port=reserved.port))
        with pytest.raises(OSError, match=rf"127\.0\.0\.1:{reserved.port}"):
            bind(at(reserved.port))


def test_a_port_at_which_somebody_listens_is_not_reserved() -> None:
    """Also when whoever listens would share it."""
    for shared in (False, True):
        with closing(bound_to("127.0.0.1", 0, shared=shared)) as listener:
            listener.listen()
            port = listener.getsockname()[1]
            with pytest.raises(OSError, match=str(port)):
                Reservation(Server(port=port))


def test_a_udp_port_that_is_taken_is_known_at_once() -> None:
    """With HTTP/3 the port is wanted twice."""
    with closing(bound_to("127.0.0.1", 0, socket.SOCK_DGRAM)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=str(port)):
            Reservation(Server(port=port, http3=True))
        with closing(bound_to("127.0.0.1", port)):
            pass


def test_a_port_is_had_again_at_once() -> None:
    """Connections of the last node that the system remembers keep the next one from nothing."""
    with closing(Reservation(Server(port=0))) as reserved:
        port = reserved.port
        with closing(bind(at(0), port)) as gateway:
            client = socket.create_connection(("127.0.0.1", port))
            served, _ = gateway.tcp.accept()
            served.close()  # first, so that its side is the one that remembers
            assert client.recv(1) == b""
            client.close()
    with (
        closing(Reservation(Server(port=port))) as again,
        closing(bind(at(0), again.port)),
        pytest.raises(OSError, match=str(port)),
    ):
        Reservation(Server(port=port))


def accepted(listener: socket.socket) -> int:
    """How many connections wait at it."""
    count = 0
    while True:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return count
        connection.close()
        count += 1
