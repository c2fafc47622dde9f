"""The numbers a scheduler runs with; each says its unit and its consequence."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CommitSettings:
    """How the committer groups writes."""

    max_batch: int = 512
    """Events per transaction. More raises throughput and what one failed commit costs."""

    gather_from: int = 8
    """Slots under way from which a commit waits until most of them are signed; a lone request
    never waits. Measured: natural grouping alone makes a thousand tiny commits a second on a
    fast disk, at several times the CPU per assignment."""

    gather_seconds_per_slot: float = 0.0016
    """How long it waits at most for each slot under way: about a signature, because a shard
    may have no more than one core."""

    gather_limit_seconds: float = 0.05
    """The longest such wait, reached with 31 slots under way: what grouping may add to an answer
    when they keep all cores busy for as long. Measured over two shards, 64 in flight: 0.73 of the
    crypto floor; with half of this, and until half of the slots are signed, 0.68."""

    max_awaiting: int = 16_384
    """Requests whose slots are stored and wait for the bundler; past it `published` ends at
    once as `PublicationPending`."""

    def gather(self, under_way: int) -> float:
        """Return the longest wait in seconds before a commit, with `under_way` slots not stored."""
        if under_way < self.gather_from:
            return 0.0
        return min(self.gather_limit_seconds, under_way * self.gather_seconds_per_slot)


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """How the publisher uploads."""

    workers: int = 4
    """Uploads under way at once."""

    chunk: int = 64
    """Slots offered to the uploader in one call."""

    gather_seconds: float = 0.02
    """While uploads are under way, how long the next ones wait for company: what grouping may
    add to a remote confirmation. A lone slot never waits. Measured: without it a busy process
    offers its slots one by one, at three times the CPU for each."""

    backoff_seconds: float = 1.0
    """Wait after the first failure; doubles with each further one, with jitter."""

    backoff_limit_seconds: float = 300.0
    """Longest wait, and the wait between tries of an item that the bundler refuses."""

    max_lanes: int = 10_000
    """Processes with unpublished slots held in memory; the others wait in the store."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a scheduler runs with; every shard with all of it, when there are several."""

    signers: int = field(default_factory=lambda: 2 * (os.cpu_count() or 1))
    """Signing threads. Twice the cores keeps each core signing while others hand over."""

    max_queued: int = 4096
    """Requests between `schedule()` and the store; past it the answer is `Overloaded`."""

    max_queued_bytes: int = 64 << 20
    """Bytes of the messages among them."""

    close_seconds: float = 10.0
    """How long closing waits for what is under way; what is left is `OutcomeUnknown`."""

    commit: CommitSettings = field(default_factory=CommitSettings)
    publish: PublishSettings = field(default_factory=PublishSettings)
