"""How many connections one address may have, and what happens to idle ones."""

from __future__ import annotations

import resource
import socket

import pytest

from node.config import Config
from node.limits.addresses import Clients
from node.limits.connections import Connections
from node.serving.sockets import bind, room_for
from tests.node.serving.conftest import Start

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.guarantee("L2")
def test_an_address_has_so_many_connections(start: Start) -> None:
    """The next one is closed unread; when one ends there is room for another."""
    server = start(limits={"connections_per_address": 2})
    with server.connect() as first, server.connect() as second:
        assert first.send(GET).reply()[0] == 200
        assert second.send(GET).reply()[0] == 200
        assert not answered(server)
        assert first.send(GET).reply()[0] == 200
        first.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert b"200" in first.rest()
        # Closed here, it is closed over there; only then is its place free.
        first.close()
        assert any(answered(server) for _ in range(1000))


def answered(server) -> bool:
    try:
        with server.connect() as connection:
            return connection.send(GET).until(b" ") != b""
    except (ConnectionResetError, BrokenPipeError):
        return False


def test_counts_end_with_the_connections(start: Start) -> None:
    """Nothing is counted once a server has ended, whatever became of its clients."""
    server = start()
    with server.connect() as first, server.connect() as second:
        assert first.send(GET).reply()[0] == 200
        assert second.send(GET).reply()[0] == 200
        assert server.sockets.connections.open == 2
        server.stop()
        assert server.ended()
        assert server.sockets.connections.open == 0


def test_a_connection_serves_many_requests(start: Start) -> None:
    """Keep-alive has no number after which it ends, as Hypercorn's has (1,000)."""
    server = start(limits={"rate_per_address": 0})
    with server.connect() as connection:
        for _ in range(1200):
            assert connection.send(GET).reply()[0] == 200


def test_an_idle_connection_is_closed(start: Start) -> None:
    """Who sends nothing for as long as headers may take is hung up on."""
    server = start(limits={"header_seconds": 0.3})
    with server.connect() as connection:
        assert connection.send(GET).reply()[0] == 200
        assert connection.rest() == b""


def test_a_proxy_has_as_many_as_there_are() -> None:
    """Connections of a trusted proxy count in the total only."""
    connections = Connections(1, 3, Clients(["10.0.0.1"]))
    assert [connections.enter("10.0.0.1") for _ in range(2)] == ["10.0.0.1"] * 2
    assert connections.enter("192.0.2.1") == "192.0.2.1"
    assert connections.enter("192.0.2.2") is None
    connections.leave("10.0.0.1")
    assert connections.enter("192.0.2.1") is None
    assert connections.enter("192.0.2.2") == "192.0.2.2"


def test_an_address_in_use_is_named() -> None:
    """A port that somebody listens on is an error that says which."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use") as refused:
            bind(Config(server={"port": port}))
    assert refused.value.filename == f"127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("limits", "room", "granted"),
    [
        ((1024, 1 << 20), 1000, 1256),
        ((4096, 1 << 20), 1000, None),
        ((512, 1024), 768, 1024),
        ((100, 200), 1, 200),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 1000, None),
    ],
)
def test_files_are_kept_for_the_store(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], room: int, granted: int | None
) -> None:
    """Connections get what the system grants, less what the store needs; the limit is raised."""
    raised: list[int] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _kind, asked: raised.append(asked[0]))
    assert room_for(1000) == room
    assert raised == ([] if granted is None else [granted])


def test_an_address_of_ipv6_is_listened_on() -> None:
    """An IPv6 address is bound as it is written."""
    sockets = bind(Config(server={"host": "::1", "port": 0}))
    assert sockets.tcp.getsockname()[0] == "::1"
    sockets.close()


def test_requests_of_one_address_have_a_rate(start: Start) -> None:
    """Over it the answer is 429 and says how long to wait, a little more for each to spread out."""
    server = start(limits={"rate_per_address": 0.5})
    with server.connect() as connection:
        assert connection.send(GET).reply()[0] == 200
        told = connection.send(GET).until(b"\r\n\r\n").decode()
    assert " 429 " in told
    waits = [line.split(": ")[1] for line in told.splitlines() if line.startswith("retry-after")]
    assert [int(wait) in range(2, 7) for wait in waits] == [True]
