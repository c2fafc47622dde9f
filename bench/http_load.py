"""Client programs side by side: give each its share, and put their answers together."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgpack
import orjson

from bench.http_client import Answers, Order

CLIENTS = 2
"""Client programs; one alone cannot keep a node busy that uses more than one core."""


class RequestsFailed(Exception):
    """Some answers were no success: what was measured counts for nothing."""


@dataclass(frozen=True, slots=True)
class Load:
    """What all clients together got.

    Attributes:
        seconds: from the first request to the last answer.
        latencies: of each request, seconds.
        slots: (index of the request, slot) of each answer that named one.
        cpu_seconds: CPU time that it cost the node, None when nobody could tell.
    """

    seconds: float
    latencies: Sequence[float]
    slots: Sequence[tuple[int, int]]
    cpu_seconds: float | None = None

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds


def run(order: Order) -> Load:
    """Carry out `order` with several client programs, which share its connections.

    Raises:
        RequestsFailed: an answer was no success.
    """
    clients = min(CLIENTS, order.connections)
    with ThreadPoolExecutor(clients) as pool:
        parts = list(pool.map(_client, (_share(order, n, clients) for n in range(clients))))
    failures = [failure for part in parts for failure in part.failures]
    if failures:
        failed = sum(part.failed for part in parts)
        raise RequestsFailed(f"{failed} requests failed, such as: {failures[0]}")
    began, ended = min(part.began for part in parts), max(part.ended for part in parts)
    slots = [
        (number * clients + client, slot)
        for client, part in enumerate(parts)
        for number, slot in part.slots
    ]
    return Load(ended - began, [s for part in parts for s in part.seconds], slots)


def _share(order: Order, client: int, clients: int) -> Order:
    connections = len(range(client, order.connections, clients))
    one_for_all = order.method == "GET"
    requests = order.requests if one_for_all else order.requests[client::clients]
    return order._replace(connections=connections, requests=requests)


def _client(order: Order) -> Answers:
    finished = subprocess.run(
        [sys.executable, "-m", "bench.http_client"],
        input=msgpack.packb(order),
        stdout=subprocess.PIPE,
        check=True,
    )
    return Answers(**orjson.loads(finished.stdout))
