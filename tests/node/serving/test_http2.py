"""HTTP/2 with real clients: over TLS, and without it for those who know."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import h2.settings
import httpx
import pytest

from node.limits.stalls import StallLimit
from tests.node.peers.certificates import certificate
from tests.node.serving.living import PATIENCE_SECONDS, Connection, Living

BODY_BYTES = 100_000
LIMITS = {"body_bytes": BODY_BYTES, "rate_per_address": 0}


@pytest.fixture
def trusted(tmp_path: Path) -> Path:
    """A certificate that clients believe."""
    certificate("localhost", tmp_path)
    return tmp_path / "certificate.pem"


class Raw:
    """One connection, frame by frame."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.http.initiate_connection()
        self.seen: list[h2.events.Event] = []

    def begin(self, method: str, *, ended: bool = False, path: str = "/", **more: str) -> int:
        """Send the headers of a request."""
        stream = self.http.get_next_available_stream_id()
        headers = [(":method", method), (":scheme", "http"), (":authority", "x"), (":path", path)]
        self.http.send_headers(stream, [*headers, *more.items()], ended)
        return stream

    def until(self, kind: type, stream: int) -> h2.events.Event:
        """Send what is waiting, and read until such an event of a stream."""
        while True:
            self._socket.sendall(self.http.data_to_send())
            for event in self.seen:
                if isinstance(event, kind) and getattr(event, "stream_id", None) == stream:
                    return event
            received = self._socket.recv(1 << 16)
            assert received, "the server has hung up"
            self.seen += self.http.receive_data(received)

    def status(self, stream: int) -> int:
        """Return the status of a reply."""
        return int(dict(self.until(h2.events.ResponseReceived, stream).headers)[":status"])

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def test_a_real_client_speaks_it_over_tls(start, trusted: Path) -> None:
    """HTTP/2 is agreed on with TLS; many requests share a connection."""
    server = start(server={"tls_certificate": trusted, "tls_key": trusted}, limits=LIMITS)

    async def talk() -> None:
        tls = ssl.create_default_context(cafile=trusted)
        base = f"https://localhost:{server.port}"
        async with httpx.AsyncClient(http2=True, verify=tls, base_url=base) as client:
            replies = await asyncio.gather(*(client.get(f"/{one}") for one in range(50)))
            assert [reply.text for reply in replies] == [f"GET /{one} " for one in range(50)]
            assert {reply.http_version for reply in replies} == {"HTTP/2"}
            posted = await client.post("/", content=b"x" * 60_000)
            assert posted.content == b"POST / " + b"x" * 60_000

    asyncio.run(talk())


def test_tls_also_speaks_http_1(start, trusted: Path) -> None:
    """A client that offers nothing newer gets HTTP/1.1."""
    server = start(server={"tls_certificate": trusted, "tls_key": trusted})
    tls = ssl.create_default_context(cafile=trusted)
    with Connection(server.port, tls) as connection:
        request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        assert connection.send(request).reply() == (200, b"GET / ")


def test_a_handshake_has_a_deadline(start, trusted: Path) -> None:
    """A client that connects and never begins TLS is hung up on."""
    tls = {"tls_certificate": trusted, "tls_key": trusted}
    server = start(server=tls, limits={"header_seconds": 0.5})
    with server.connect() as connection:
        assert connection.rest() == b""


def test_data_for_an_answered_request_costs_no_one_else(start) -> None:
    """A body that is too large is refused; the other requests of the connection go on."""
    server: Living = start(limits={**LIMITS, "body_bytes": 1000})
    with Raw(server.port) as client:
        large, small = client.begin("POST"), client.begin("POST")
        client.http.send_data(small, b"abc")
        client.http.send_data(large, bytes(2000))
        assert client.status(large) == 413
        client.until(h2.events.StreamEnded, large)
        # The server has given up on the rest of it, and it comes all the same.
        for _ in range(10):
            client.http.send_data(large, bytes(100))
            client.http.ping(bytes(8))
            client.until(h2.events.PingAckReceived, None)
            client.seen.clear()
        client.http.send_data(small, b"def", end_stream=True)
        assert client.status(small) == 200


def test_a_client_that_gives_no_room_is_given_up_on(start) -> None:
    """A reply for which the client never opens its window is reset, and its connection ends."""
    server = start(StallLimit(endless, seconds=0.3), guarded=False, limits={"header_seconds": 0.5})
    with Raw(server.port) as client:
        client.http.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
        stream = client.begin("GET", ended=True)
        assert client.status(stream) == 200
        client.until(h2.events.StreamReset, stream)
        with pytest.raises(AssertionError, match="hung up"):
            client.until(h2.events.StreamEnded, stream)


async def endless(_scope, _receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": bytes(1 << 16), "more_body": True})


def test_connect_is_refused(start) -> None:
    """A tunnel is refused by a reset of its stream, not of the connection."""
    server = start(limits=LIMITS)
    with Raw(server.port) as client:
        stream = client.http.get_next_available_stream_id()
        client.http.send_headers(stream, [(":method", "CONNECT"), (":authority", "x:1")])
        client.until(h2.events.StreamReset, stream)
        assert client.status(client.begin("GET", ended=True)) == 200


def test_too_many_headers_are_refused(start) -> None:
    """The limits are those of HTTP/1.1."""
    server = start(limits=LIMITS)
    with Raw(server.port) as client:
        many = {f"h{one}": "v" for one in range(250)}
        assert client.status(client.begin("GET", ended=True, **many)) == 431


def test_headers_may_be_as_long_as_the_limit_says(start) -> None:
    """Also where it is above what HTTP/2 usually takes; what is longer is told so."""
    server = start(limits=LIMITS | {"header_bytes": 100_000})
    with Raw(server.port) as client:
        assert client.status(client.begin("GET", ended=True, x="a" * 90_000)) == 200
        assert client.status(client.begin("GET", ended=True, x="a" * 100_000)) == 431


def test_a_path_that_is_no_ascii_costs_no_one_else(start) -> None:
    """Its request is reset, and the connection goes on."""
    server = start(limits=LIMITS)
    with Raw(server.port) as client:
        reset = client.until(h2.events.StreamReset, client.begin("GET", ended=True, path="/\u00e4"))
        assert isinstance(reset, h2.events.StreamReset)
        assert client.status(client.begin("GET", ended=True)) == 200


def test_requests_that_are_taken_back_at_once_have_a_rate(start) -> None:
    """Resetting each request does not get around the rate of an address."""
    server = start(limits={"rate_per_address": 5})
    with Raw(server.port) as client:
        for _ in range(50):
            client.http.reset_stream(client.begin("POST"))
        assert client.status(client.begin("GET", ended=True)) == 429


def test_replies_that_are_taken_back_cost_no_one_else(start) -> None:
    """Streams that are reset in the middle of their replies leave the connection as it was."""

    async def large(_scope, _receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(10):
            piece = {"type": "http.response.body", "body": bytes(20_000), "more_body": True}
            await send(piece)
        await send({"type": "http.response.body", "body": b""})

    server = start(large, limits=LIMITS)
    with Raw(server.port) as client:
        for _ in range(100):
            stream = client.begin("GET", ended=True)
            client.until(h2.events.DataReceived, stream)
            client.http.reset_stream(stream)
            client.http.increment_flow_control_window(1 << 16)
        assert client.status(client.begin("GET", ended=True)) == 200


def test_a_connection_without_requests_is_closed(start) -> None:
    """Frames that ask for nothing keep no connection open."""
    server = start(limits={"header_seconds": 0.5})
    with Connection(server.port) as connection:
        connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0\0\0\4\0\0\0\0\0")
        ping = b"\0\0\x08\6\0\0\0\0\0" + bytes(8)
        connection.send(*[ping] * 10)
        connection.rest()
