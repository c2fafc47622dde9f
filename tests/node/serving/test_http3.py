"""HTTP/3 with a real client, and with one that does what ends Hypercorn's own server for all."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import httpx
import pytest

from tests.node.peers.certificates import certificate
from tests.node.serving.http3_client import connected
from tests.node.serving.living import Living

BODY_BYTES = 100_000


@pytest.fixture
def trusted(tmp_path: Path) -> Path:
    """A certificate that clients believe."""
    certificate("localhost", tmp_path)
    return tmp_path / "certificate.pem"


@pytest.fixture
def server(start, trusted: Path) -> Living:
    tls = {"tls_certificate": trusted, "tls_key": trusted, "http3": True}
    limits = {"body_bytes": BODY_BYTES, "body_seconds": 1, "rate_per_address": 0}
    return start(server=tls, limits=limits)


def test_requests_have_replies(server: Living, trusted: Path) -> None:
    """Several requests share a connection, with bodies in many pieces."""

    async def talk() -> None:
        async with connected(server.port, trusted) as client:
            replies = await asyncio.gather(*(client.get(b"/%d" % one) for one in range(20)))
            assert replies == [(200, b"GET /%d " % one) for one in range(20)]
            stream = client.begin(b"POST", b"/")
            for _ in range(50):
                client.more(stream, b"x" * 1000)
            client.more(stream, b"", ended=True)
            assert await client.reply(stream) == (200, b"POST / " + b"x" * 50_000)

    asyncio.run(talk())


def test_other_versions_say_where_it_is(server: Living, trusted: Path) -> None:
    """Replies over TCP name the port of HTTP/3."""
    assert (
        f'h3=":{server.port}"'
        in httpx.get(f"https://localhost:{server.port}/", verify=_trusting(trusted)).headers[
            "alt-svc"
        ]
    )


def test_too_large_a_body_is_refused_and_costs_no_one_else(server: Living, trusted: Path) -> None:
    """Data for a request that is answered already ends neither the connection nor the server."""

    async def talk() -> None:
        async with (
            connected(server.port, trusted) as client,
            connected(server.port, trusted) as other,
        ):
            stream = client.begin(b"POST", b"/")
            for _ in range(200):
                client.more(stream, b"x" * 1000)
            status, told = await client.reply(stream)
            assert (status, b"too_large" in told) == (413, True)
            client.more(stream, b"x" * 1000)
            assert await client.get(b"/after") == (200, b"GET /after ")
            assert await other.get(b"/other") == (200, b"GET /other ")

    asyncio.run(talk())


def test_trailers_are_passed_over(server: Living, trusted: Path) -> None:
    """Headers behind a body end the request and say nothing."""

    async def talk() -> None:
        async with connected(server.port, trusted) as client:
            stream = client.begin(b"POST", b"/")
            client.more(stream, b"abc")
            client.trailers(stream)
            assert await client.reply(stream) == (200, b"POST / abc")
            assert await client.get(b"/after") == (200, b"GET /after ")

    asyncio.run(talk())


def test_a_body_that_never_ends_has_a_deadline(server: Living, trusted: Path) -> None:
    """Half a body is refused in time."""

    async def talk() -> None:
        async with connected(server.port, trusted) as client:
            stream = client.begin(b"POST", b"/")
            client.more(stream, b"abc")
            assert (await client.reply(stream))[0] == 408

    asyncio.run(talk())


def test_connect_is_refused(server: Living, trusted: Path) -> None:
    """What asks for a tunnel has its stream reset; the connection goes on."""

    async def talk() -> None:
        async with connected(server.port, trusted) as client:
            assert await client.reply(client.begin(b"CONNECT", b"/")) == (0, b"")
            assert await client.get(b"/after") == (200, b"GET /after ")

    asyncio.run(talk())


def test_a_client_that_leaves_is_missed_by_nobody(server: Living, trusted: Path) -> None:
    """A connection that ends in the middle of a request leaves the server as it was."""

    async def talk() -> None:
        async with connected(server.port, trusted) as client:
            client.more(client.begin(b"POST", b"/"), b"abc")
        async with connected(server.port, trusted) as other:
            assert await other.get(b"/other") == (200, b"GET /other ")

    asyncio.run(talk())


def test_the_end_is_told_to_clients(server: Living, trusted: Path) -> None:
    """A server that ends closes its connections, without waiting for their time-out."""

    async def talk() -> None:
        async with connected(server.port, trusted) as client:
            assert await client.get(b"/") == (200, b"GET / ")
            server.stop()
            await asyncio.wait_for(client.terminated.wait(), 30)

    asyncio.run(talk())
    assert server.ended()


def _trusting(file: Path):
    return ssl.create_default_context(cafile=file)
