"""The numbers of one node, in a registry of their own."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from actors import Scheduler
from actors.observer import Observer
from node.metrics.programs import everything
from node.metrics.standing import Standing
from node.metrics.steps import SECONDS, Steps

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Metrics:
    """Count and measure. Safe to use from many threads.

    Two nodes in one program do not share their numbers, and the programs of one node do.

    Attributes:
        observer: to be handed to the scheduler that is measured.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Report what is counted here, or what every program counts that has joined `folder`.

        Args:
            folder: that this program has joined, too (`node.metrics.programs.join`).
        """
        self._registry = CollectorRegistry()
        self._reported = self._registry if folder is None else everything(folder)
        self.observer: Observer = Steps(self._registry)
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
            buckets=SECONDS,
            registry=self._registry,
        )
        self._requests_open = Gauge(
            "ao_http_requests_open",
            "Requests that are being served.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._refusals = Counter(
            "ao_http_refusals",
            "Requests that were refused, by the code of the error.",
            ("code",),
            registry=self._registry,
        )

    def asked(self) -> None:
        """Count a request that is being served now."""
        self._requests_open.inc()

    def answered(self, method: str, status: int, seconds: float) -> None:
        """Count a request that was served, and how long it took."""
        self._requests_open.dec()
        self._requests.labels(method, status).inc()
        self._request_seconds.labels(method).observe(seconds)

    def refused(self, code: str) -> None:
        """Count a request that was refused."""
        self._refusals.labels(code).inc()

    def watch(self, scheduler: Scheduler) -> None:
        """Report, from now on, where `scheduler` stands."""
        self._reported.register(Standing(scheduler))

    def exposition(self) -> bytes:
        """Return all numbers in Prometheus's text format; may take some milliseconds."""
        return generate_latest(self._reported)
