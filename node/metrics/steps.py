"""What a scheduler does, as numbers: the observer that it tells of each step."""

from __future__ import annotations

from typing import Self

from prometheus_client import CollectorRegistry, Counter, Histogram

from actors.observer import Observer
from actors.stages import Stage

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
"""Of steps; from half a millisecond, which a signature takes, to a slow bundler."""

RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Of one commit; more than one each is what makes commits cheap."""


class Steps(Observer):
    """Count and measure each step. Called by several threads at once.

    Sent to a spawned program, it is one that counts there and begins at zero.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Report to `registry`; to one of its own unless given."""
        registry = registry or CollectorRegistry()
        stages = Histogram(
            "ao_stage_seconds",
            "From the moment a slot was given until it reached a stage; its count is the number "
            "of assignments that did.",
            ("stage",),
            buckets=SECONDS,
            registry=registry,
        )
        # Looked up once: the labels of a metric cost more than its number.
        self._stages = {stage: stages.labels(stage.name.lower()) for stage in Stage}
        self._signing = Histogram(
            "ao_signing_seconds", "To sign an assignment.", buckets=SECONDS, registry=registry
        )
        self._committing = Histogram(
            "ao_commit_seconds",
            "To make a transaction durable; its count is the number of commits.",
            buckets=SECONDS,
            registry=registry,
        )
        self._records = Histogram(
            "ao_commit_records",
            "Entries of one transaction; its sum is the number of records.",
            buckets=RECORDS,
            registry=registry,
        )
        self._uploads = Counter(
            "ao_uploads",
            "Items offered to the bundler, by outcome.",
            ("outcome",),
            registry=registry,
        )
        self._uploading = Histogram(
            "ao_upload_seconds", "To offer some items.", buckets=SECONDS, registry=registry
        )
        self._refusals = Counter(
            "ao_refusals",
            "Messages that ended without a slot, by the code of the error.",
            ("code",),
            registry=registry,
        )

    def __reduce__(self) -> tuple[type[Self], tuple[()]]:
        return type(self), ()

    def reached(self, stage: Stage, seconds: float) -> None:
        """Measure the way to a stage."""
        self._stages[stage].observe(seconds)

    def refused(self, code: str) -> None:
        """Count a message that got no slot."""
        self._refusals.labels(code).inc()

    def signed(self, seconds: float) -> None:
        """Measure a signature."""
        self._signing.observe(seconds)

    def committed(self, records: int, seconds: float) -> None:
        """Measure a transaction."""
        self._committing.observe(seconds)
        self._records.observe(records)

    def uploaded(self, items: int, acknowledged: int, seconds: float) -> None:
        """Measure an offer to the bundler."""
        self._uploading.observe(seconds)
        self._uploads.labels("acknowledged").inc(acknowledged)
        self._uploads.labels("failed").inc(items - acknowledged)
