"""The numbers of one node, in a registry of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from actors.status import Status

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4

FAST = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
"""Seconds; from half a millisecond, which a signature takes, to a scheduler's patience."""


class Watched(Protocol):
    """What is asked at each scrape: a scheduler."""

    def status(self) -> Status:
        """Return where it stands."""


class Metrics:
    """Count and measure; safe to use from many threads.

    Two nodes in one program do not share their numbers.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "ao_http_requests",
            "Requests by method and status of the reply.",
            ("method", "status"),
            registry=self._registry,
        )
        self._request_seconds = Histogram(
            "ao_http_request_seconds",
            "From the headers of a request to the end of its reply.",
            ("method",),
            buckets=FAST,
            registry=self._registry,
        )
        self._refusals = Counter(
            "ao_refusals",
            "Requests that were refused, by the code of the error.",
            ("code",),
            registry=self._registry,
        )

    def answered(self, method: str, status: int, seconds: float) -> None:
        """Count a request and how long it took."""
        self._requests.labels(method, status).inc()
        self._request_seconds.labels(method).observe(seconds)

    def refused(self, code: str) -> None:
        """Count a refusal."""
        self._refusals.labels(code).inc()

    def watch(self, scheduler: Watched) -> None:
        """Report, from now on, where `scheduler` stands."""
        self._registry.register(_Standing(scheduler))

    def exposition(self) -> bytes:
        """Return all numbers in Prometheus's text format."""
        return generate_latest(self._registry)


class _Standing(Collector):
    # Asked when somebody wants to know, so that nothing is counted twice.

    def __init__(self, scheduler: Watched) -> None:
        self._scheduler = scheduler

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        status = self._scheduler.status()
        numbers = {
            "queued": ("Requests between acceptance and the store.", status.queued),
            "under_way": ("Slots given and not stored.", status.under_way),
            "unpublished_processes": (
                "Processes with stored slots that have no receipt, 1000 at most.",
                status.unpublished,
            ),
            "processes": ("Processes in the store.", status.processes),
            "stuck_processes": ("Processes whose item the bundler refuses.", len(status.stuck)),
            "unfit_processes": ("Processes that cannot be scheduled.", len(status.unfit)),
            "fenced": ("1 once nothing is signed or written any more.", status.fenced is not None),
        }
        for name, (text, value) in numbers.items():
            if value is not None:
                yield GaugeMetricFamily(f"ao_{name}", text, value=float(value))
