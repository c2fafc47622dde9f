"""Clients that are slow, or that never end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from node.limits.stalls import StallLimit
from tests.node.serving.living import PATIENCE_SECONDS, echo

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


def drip(connection, piece: bytes) -> bytes:
    """Send a piece again and again until the server closes; return what it sent."""
    ended = threading.Event()

    def sending() -> None:
        while not ended.wait(0.02):
            connection.send(piece)

    dripping = threading.Thread(target=sending)
    dripping.start()
    answer = connection.rest()
    ended.set()
    dripping.join()
    return answer


def test_headers_that_drip_are_hung_up_on(start) -> None:
    """A connection ends when its headers take too long, however busily they come."""
    server = start(limits={"header_seconds": 0.5})
    with server.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\n")
        assert drip(connection, b"a: b\r\n") == b""


@pytest.mark.guarantee("L1")
def test_a_body_that_drips_is_refused(start) -> None:
    """A body has a deadline as a whole; the reply says so, and the connection ends."""
    server = start(limits={"body_seconds": 0.5})
    with server.connect() as connection:
        connection.send(HEAD + b"Content-Length: 1000000\r\n\r\n")
        answer = drip(connection, b"x")
    assert b"408" in answer
    assert b"connection: close" in answer


def test_many_tiny_chunks_are_no_way_around_the_limit(start) -> None:
    """Bytes are counted however small the pieces they come in."""
    server = start(limits={"body_bytes": 1000})
    with server.connect() as connection:
        connection.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 5000)
        assert connection.reply()[0] == 413


def test_the_refusal_of_a_large_body_arrives(start) -> None:
    """A client that sends all of a large body before it reads still gets the reply."""
    server = start(limits={"body_bytes": 1000})
    with server.connect() as connection:
        connection.send(HEAD + b"Content-Length: 8000000\r\n\r\n", bytes(8_000_000))
        status, told = connection.reply()
    assert (status, b'"too_large"' in told) == (413, True)


def test_a_body_that_nobody_reads_holds_no_connection(start) -> None:
    """An application that answers without reading leaves nothing open on the server."""

    async def hasty(scope, _receive, send) -> None:
        if scope["type"] == "http":
            headers = [(b"content-length", b"2")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"ok"})

    server = start(hasty)
    with server.connect() as connection:
        connection.send(HEAD + b"Content-Length: 3000000\r\n\r\n", bytes(3_000_000))
        assert connection.reply() == (200, b"ok")
        connection.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert connection.reply() == (200, b"ok")
        assert connection.rest() == b""


@pytest.mark.guarantee("L2")
def test_all_bodies_together_have_a_budget(start) -> None:
    """What would be too much in memory at once is refused for now, not for ever."""
    inside, release = threading.Event(), threading.Event()

    async def holding(scope, receive, send) -> None:
        if scope["type"] == "http":
            inside.set()
            await asyncio.to_thread(release.wait, PATIENCE_SECONDS)
            await echo(scope, receive, send)

    server = start(holding, limits={"body_bytes": 1000, "buffered_bytes": 1500})
    request = HEAD + b"Content-Length: 1000\r\n\r\n" + bytes(1000)
    with server.connect() as first, server.connect() as second, server.connect() as third:
        first.send(request)
        assert inside.wait(PATIENCE_SECONDS)
        status, told = second.send(request).reply()
        assert (status, b'"overloaded"' in told) == (503, True)
        release.set()
        assert first.reply()[0] == 200
        assert third.send(request).reply()[0] == 200


@pytest.mark.guarantee("L2")
def test_a_client_that_takes_nothing_is_given_up_on(start) -> None:
    """A reply that its client leaves standing ends, and so does the application's work on it."""
    ended = threading.Event()

    async def endless(scope, _receive, send) -> None:
        if scope["type"] != "http":
            return
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                piece = {"type": "http.response.body", "body": bytes(1 << 16), "more_body": True}
                await send(piece)
        finally:
            ended.set()

    server = start(StallLimit(endless, seconds=0.3), guarded=False)
    with server.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert ended.wait(PATIENCE_SECONDS)
