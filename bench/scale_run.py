"""What `bench scale` measures in one fresh program: a store of very many processes, at work."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from actors import Scheduler, Stage
from bench.accounting import Unaccounted, settle
from bench.cpu import cpu_seconds
from bench.floor import Crypto, Slice, average, measure
from bench.latency import percentile
from bench.load import Completion, Load, rate
from bench.memory import Memory, memory
from bench.stand_ins import CountingUploader
from protocol.wallet import Wallet

IN_FLIGHT = 64
FLOOR_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Order:
    """What the program is to do; it is pickled into it.

    Attributes:
        started: seconds of the machine's monotonic clock, just before the program was started.
        store: folder of the store.
        shards: 0 for everything in the program itself.
        wallet: the scheduler's.
        stranger: who signed the messages, for the floor.
        live: a message for each process that is to be live.
        pairs: messages, two after one another for each process that is not live.
        uniform: messages to processes chosen at random among all.
        seconds: how long the latter are scheduled.
    """

    started: float
    store: Path
    shards: int
    wallet: Wallet
    stranger: Wallet
    live: Sequence[bytes]
    pairs: Sequence[bytes]
    uniform: Sequence[bytes]
    seconds: float


@dataclass(frozen=True, slots=True)
class Opening:
    """Start-up, in seconds.

    Attributes:
        seconds: of `Scheduler.open`, after which every shard is ready.
        program_seconds: until then, from the start of the program, its interpreter included.
        first_seconds: from `Scheduler.open` to the first assignment that is STORED.
    """

    seconds: float
    program_seconds: float
    first_seconds: float


@dataclass(frozen=True, slots=True)
class Latency:
    """From `schedule()` to STORED when nothing else is under way.

    Attributes:
        cold_p50_ms, cold_p99_ms: the first message for a process that is not live, while as
            many others are as may be.
        warm_p50_ms, warm_p99_ms: the next message for the same process.
        cold_to_warm: of the medians.
    """

    cold_p50_ms: float
    cold_p99_ms: float
    warm_p50_ms: float
    warm_p99_ms: float
    cold_to_warm: float

    @classmethod
    def of(cls, done: Sequence[Completion]) -> Self:
        """Return that of messages which went to cold and to warm processes in turn."""
        cold, warm = ([d.seconds * 1000 for d in done[first::2]] for first in (0, 1))
        p50, warm_p50 = percentile(cold, 50), percentile(warm, 50)
        return cls(p50, percentile(cold, 99), warm_p50, percentile(warm, 99), p50 / warm_p50)


@dataclass(frozen=True, slots=True)
class Uniform:
    """Processes chosen at random among all, 64 messages in flight.

    Attributes:
        per_second: assignments STORED a second.
        floor_ratio: the same in units of the crypto floor around it.
        cpu_us_beyond_floor: CPU time of all programs for each, less one signature and one
            verification.
    """

    per_second: float
    floor_ratio: float
    cpu_us_beyond_floor: float

    @classmethod
    def of(cls, done: Sequence[Completion], cpu: float, floor: Slice) -> Self:
        """Return what a load found, which took so many seconds of CPU time."""
        per_second, each = rate(done), cpu / len(done)
        return cls(per_second, per_second / floor.per_second, (each - floor.cpu_seconds) * 1e6)


@dataclass(frozen=True, slots=True)
class Run:
    """What one fresh program found; the fields are those of the JSON.

    Attributes:
        opening: start-up.
        live_processes: actors alive, by shard.
        live: memory with those, by shard; without shards, of the whole program.
        latency: of cold and warm processes.
        uniform: throughput over all processes.
        afterwards: memory after that, by shard.
    """

    opening: Opening
    live_processes: Sequence[int]
    live: Sequence[Memory]
    latency: Latency
    uniform: Uniform
    afterwards: Sequence[Memory]


def run(order: Order) -> Run:
    """Open the store and carry out the order.

    Raises:
        Unaccounted: the store does not hold as many new slots as were promised.
        SchedulerError: a request failed.
    """
    uploader = CountingUploader(0.0)
    began = time.monotonic()
    with Scheduler.open(
        order.store, order.wallet, shards=order.shards, uploader=uploader
    ) as scheduler:
        opened = time.monotonic()
        before = scheduler.totals().stored
        asked = time.monotonic()
        scheduler.schedule(order.live[0]).stored.get()
        first = time.monotonic() - asked
        opening = Opening(opened - began, opened - order.started, opened - began + first)
        live = _load(scheduler, IN_FLIGHT, order.live[1:])
        shards = scheduler.status().shards
        pids = [shard.pid or os.getpid() for shard in shards]
        resident = [memory(pid) for pid in pids]
        pairs = _load(scheduler, 1, order.pairs)
        uniform, done = _uniform(scheduler, order, {*pids, os.getpid()})
        promised = 1 + len(live) + len(pairs) + done
        if scheduler.totals().stored - before != promised:
            raise Unaccounted(f"the store does not hold {promised} slots more than before")
        return Run(
            opening=opening,
            live_processes=[shard.live_processes for shard in shards],
            live=resident,
            latency=Latency.of(pairs),
            uniform=uniform,
            afterwards=[memory(pid) for pid in pids],
        )


def _load(
    scheduler: Scheduler, in_flight: int, items: Sequence[bytes], seconds: float = float("inf")
) -> list[Completion]:
    return Load(scheduler.schedule, Stage.STORED, in_flight).run(items, seconds)


def _uniform(scheduler: Scheduler, order: Order, pids: set[int]) -> tuple[Uniform, int]:
    crypto = Crypto(order.wallet, order.stranger)
    before = measure(crypto.both, FLOOR_SECONDS)
    cpu = cpu_seconds(pids)
    done = _load(scheduler, IN_FLIGHT, order.uniform, order.seconds)
    # Publishing belongs to the assignments that it comes after.
    settle(scheduler, ())
    cpu = cpu_seconds(pids) - cpu
    floor = average([before, measure(crypto.both, FLOOR_SECONDS)])
    return Uniform.of(done, cpu, floor), len(done)
