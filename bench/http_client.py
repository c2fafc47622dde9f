"""`python -m bench.http_client`: one client program of `bench http`, which posts what it is given.

It reads a msgpack map from standard input (`Order`) and writes one JSON object (`Answers`) to
standard output. A program of its own, so that the node's CPU time holds nothing of the client's.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import httpx
import msgpack
import orjson

PATIENCE_SECONDS = 30.0
"""Without an answer for so long, something is broken."""

MAX_REPORTED, MAX_TEXT = 3, 200


class Order(NamedTuple):
    """What one client program is to do.

    Attributes:
        url: of the node.
        connections: kept alive, one request on each at a time; with HTTP/2, streams.
        http2: whether to speak HTTP/2 (with prior knowledge where there is no TLS).
        seconds: after which no request is begun.
        method: ``GET`` or ``POST``.
        headers: of every request.
        requests: (path, body) pairs; a GET repeats the first one for ever.
    """

    url: str
    connections: int
    http2: bool
    seconds: float
    method: str
    headers: dict[str, str]
    requests: list[tuple[str, bytes]]


@dataclass(slots=True)
class Answers:
    """What came back.

    Attributes:
        began, ended: seconds of the machine's monotonic clock.
        seconds: of each request, in the order of the answers.
        slots: (index of the request, slot) of each answer that named one.
        failures: how many answers were no success, and the first few of them.
    """

    began: float = 0.0
    ended: float = 0.0
    seconds: list[float] = field(default_factory=list)
    slots: list[tuple[int, int]] = field(default_factory=list)
    failed: int = 0
    failures: list[str] = field(default_factory=list)


async def drive(order: Order) -> Answers:
    """Send the requests, `connections` at a time, and note each answer."""
    answers = Answers()
    limits = httpx.Limits(max_connections=1 if order.http2 else order.connections)
    async with httpx.AsyncClient(
        base_url=order.url,
        headers=order.headers,
        http1=not order.http2,
        http2=order.http2,
        limits=limits,
        timeout=PATIENCE_SECONDS,
        trust_env=False,
    ) as client:
        answers.began = time.monotonic()
        deadline = answers.began + order.seconds
        todo = _todo(order)
        workers = [_work(client, order, todo, deadline, answers) for _ in range(order.connections)]
        await asyncio.gather(*workers)
        answers.ended = time.monotonic()
    return answers


def _todo(order: Order) -> Iterator[tuple[int, tuple[str, bytes]]]:
    if order.method == "POST":
        yield from enumerate(order.requests)
    while order.method == "GET":
        yield 0, order.requests[0]


async def _work(
    client: httpx.AsyncClient,
    order: Order,
    todo: Iterator[tuple[int, tuple[str, bytes]]],
    deadline: float,
    answers: Answers,
) -> None:
    for number, (path, body) in todo:
        started = time.monotonic()
        if started >= deadline:
            return
        try:
            answer = await client.request(order.method, path, content=body or None)
        except httpx.HTTPError as exc:
            _fail(answers, f"{type(exc).__name__} {exc}")
            return
        answers.seconds.append(time.monotonic() - started)
        if not answer.is_success:
            _fail(answers, f"{answer.status_code} {answer.text[:MAX_TEXT]}")
        elif slot := answer.headers.get("slot"):
            answers.slots.append((number, int(slot)))


def _fail(answers: Answers, failure: str) -> None:
    answers.failed += 1
    if len(answers.failures) < MAX_REPORTED:
        answers.failures.append(failure)


def main() -> None:
    """Serve one order."""
    order: Any = msgpack.unpackb(sys.stdin.buffer.read())
    answers = asyncio.run(drive(Order(*order)))
    sys.stdout.buffer.write(orjson.dumps(asdict(answers)))


if __name__ == "__main__":
    main()
