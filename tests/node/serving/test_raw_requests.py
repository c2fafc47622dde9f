"""What a real server makes of bytes that no decent client sends."""

from __future__ import annotations

import re

import pytest

from node.config import Config
from tests.node.serving.living import Connection, Living

HOST = b"Host: x\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
UPGRADE = GET + b"Connection: upgrade\r\nUpgrade: "
HEADER_BYTES = 64 << 10
BODY_BYTES = 1000

CASES: dict[str, tuple[bytes, list[int]]] = {
    "nothing": (b"", []),
    "half a request line": (b"GET / HT", []),
    "half the headers": (GET + b"a: b", []),
    "garbage": (b"\x00\x01\x02\r\n\r\n", [400]),
    "a TLS handshake": (bytes.fromhex("16030100500100004c") + bytes(80), [400]),
    "garbage behind a request": (GET + b"\r\n\x00garbage\r\n\r\n", [200, 400]),
    "three requests at once": ((GET + b"\r\n") * 3, [200, 200, 200]),
    "HTTP/0.9": (b"GET /\r\n\r\n", [400]),
    "HTTP/1.0": (b"GET / HTTP/1.0\r\n\r\n", [200]),
    "HTTP/1.2": (b"GET / HTTP/1.2\r\n" + HOST + b"\r\n", [400]),
    "HTTP/2.0 in text": (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", [400]),
    "HEAD and then GET": (b"HEAD / HTTP/1.1\r\n" + HOST + b"\r\n" + GET + b"\r\n", [200, 200]),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", [400]),
    "two hosts": (GET + HOST + b"\r\n", [400]),
    "a space in the path": (b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", [400]),
    "a byte that is no ASCII": (b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n", [400]),
    "no method": (b"G(T / HTTP/1.1\r\n" + HOST + b"\r\n", [400]),
    "CONNECT": (b"CONNECT a:1 HTTP/1.1\r\n" + HOST + b"\r\n", [405]),
    "TRACE": (b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n", [405]),
    "a folded first header": (b"GET / HTTP/1.1\r\n a: b\r\n" + HOST + b"\r\n", [400]),
    "a carriage return in a value": (GET + b"a: b\rc\r\n\r\n", [400]),
    "a zero byte in a value": (GET + b"a: b\0c\r\n\r\n", [400]),
    "a space before the colon": (POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", [400]),
    "length and chunks": (
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        [400],
    ),
    "two lengths": (
        POST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + SMUGGLED,
        [400],
    ),
    "a negative length": (POST + b"Content-Length: -1\r\n\r\n" + SMUGGLED, [400]),
    "a signed length": (POST + b"Content-Length: +1\r\n\r\na" + SMUGGLED, [400]),
    "an endless length": (POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", [400]),
    "a length too large": (POST + b"Content-Length: 1001\r\n\r\n", [413]),
    "an unknown coding": (POST + b"Transfer-Encoding: xchunked\r\n\r\n" + SMUGGLED, [501]),
    "chunked twice": (POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", [501]),
    "a chunk of no number": (CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n" + SMUGGLED, [400]),
    "a negative chunk": (CHUNKED + b"-1\r\nabc\r\n0\r\n\r\n" + SMUGGLED, [400]),
    "a chunk longer than it says": (CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n" + SMUGGLED, [400]),
    "an endless chunk": (CHUNKED + b"f" * 20 + b"\r\nabc", [408]),
    "chunks ended by line feeds": (CHUNKED + b"3\nabc\n0\n\n" + SMUGGLED, [400]),
    "chunks too large together": (CHUNKED + b"100\r\n%s\r\n" % bytes(256) * 4, [413]),
    "half a body": (POST + b"Content-Length: 20\r\n\r\nabc", [408]),
    "200 headers": (GET + b"a: b\r\n" * 199 + b"\r\n", [200]),
    "201 headers": (GET + b"a: b\r\n" * 200 + b"\r\n", [431]),
    "headers too long": (GET + b"a: " + b"b" * HEADER_BYTES + b"\r\n\r\n", [431]),
    "headers far too long": (GET + b"a: " + b"b" * HEADER_BYTES * 4, [431]),
    "a path too long": (b"GET /" + b"a" * HEADER_BYTES + b" HTTP/1.1\r\n" + HOST + b"\r\n", [431]),
    "a compressed body": (POST + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab", [415]),
    "an identical body": (POST + b"Content-Encoding: identity\r\nContent-Length: 0\r\n\r\n", [200]),
    "a WebSocket": (
        UPGRADE + b"websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2"
        b"RlZg==\r\n\r\n",
        [200],
    ),
    "a WebSocket without its key": (UPGRADE + b"websocket\r\n\r\n", [200]),
    "an upgrade to HTTP/2": (UPGRADE + b"h2c\r\nHTTP2-Settings: !!!!\r\n\r\n", [200]),
    "HTTP/2 that ends after its preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []),
    "HTTP/2 and then garbage": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 90, []),
}
"""Bytes on one connection, and the statuses of all replies before it is closed."""


@pytest.fixture(scope="module")
def answers() -> dict[str, bytes]:
    """Everything the server sends, for each case, until it closes the connection."""
    limits = {"header_seconds": 0.5, "body_seconds": 0.5, "body_bytes": BODY_BYTES}
    config = Config(server={"port": 0}, limits={**limits, "rate_per_address": 0})
    with Living(config) as server:
        connections = {name: server.connect().send(sent) for name, (sent, _) in CASES.items()}
        answered = {name: connection.rest() for name, connection in connections.items()}
        for connection in connections.values():
            connection.close()
        assert still_serves(server)
    return answered


@pytest.mark.parametrize("name", CASES)
def test_strange_requests_are_answered_and_hung_up_on(name: str, answers) -> None:
    """Each gets the status that says what is wrong, and its connection ends in time."""
    statuses = [int(found) for found in re.findall(rb"HTTP/1\.1 (\d+) ", answers[name])]
    assert statuses == CASES[name][1]


def test_nothing_is_smuggled(answers) -> None:
    """What hides in the body of a doubtful request is never served as a request."""
    assert [name for name, answer in answers.items() if b"/smuggled" in answer] == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("half a body", b'"code":"request_timeout"'),
        ("length and chunks", b'"code":"malformed_request"'),
        ("a length too large", b'"code":"too_large"'),
        ("201 headers", b'"code":"headers_too_large"'),
        ("headers too long", b'"code":"headers_too_large"'),
        ("a compressed body", b'"code":"unsupported_content_encoding"'),
        ("CONNECT", b'"code":"method_not_allowed"'),
    ],
)
def test_refusals_say_why(name: str, code: bytes, answers) -> None:
    """A limit answers with a problem that names it, and pages of other hosts may read it."""
    assert code in answers[name]
    assert b"content-type: application/problem+json" in answers[name]
    assert b"access-control-allow-origin: *" in answers[name]


def still_serves(server: Living) -> bool:
    with Connection(server.port) as connection:
        return connection.send(GET + b"\r\n").reply() == (200, b"GET / ")
