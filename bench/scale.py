"""`bench scale`: a store that knows very many processes, in fresh programs."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from bench.floor import CORES
from bench.items import Mail, Stranger
from bench.known import Known, known
from bench.neighbours import Neighbours
from bench.page_cache import forget_pages, size_on_disk
from bench.scale_run import IN_FLIGHT, Order, Run
from protocol.ids import Id
from protocol.wallet import Wallet

MOST_PER_SECOND = 1000 * CORES
"""More than any machine signs: enough items are made for the load to end by its time."""


@dataclass(frozen=True, slots=True)
class ScalePlan:
    """What to measure.

    Attributes:
        processes: in the store.
        shards: 0 for everything in one program.
        live: processes of each shard that get an actor.
        pairs: cold processes whose first two assignments are timed.
        seconds: how long messages go to processes chosen at random.
    """

    processes: int = 1_000_000
    shards: int = 2
    live: int = 2000
    pairs: int = 500
    seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Scale:
    """What `bench scale` found; the fields are those of the JSON.

    Attributes:
        cores: of this machine.
        processes: in the store, each with at least one published assignment.
        shards: OS processes that hold them; 0 for the measured program itself.
        store_mb: size on disk.
        written_per_second: processes written a second, in bulk; None when the store was there.
        disturbed: part of all cores that other programs used while these were measured.
        cold, warm: what a fresh program found when the system held no page of the store, and
            when it held those that the program before it used.
    """

    cores: int
    processes: int
    shards: int
    store_mb: float
    written_per_second: float | None
    disturbed: float
    cold: Run
    warm: Run


def scale(data: Path, plan: ScalePlan, announce: Callable[[str], None]) -> Scale:
    """Measure start-up, memory, latency and throughput of a store of known processes.

    Args:
        data: folder on the disk to measure. The store stays there and is used again.
        plan: what to measure.
        announce: is told what comes next.

    Raises:
        CalledProcessError: a measured program failed; it has said why.
    """
    stranger = Wallet.generate()
    found = known(data, plan.processes, max(1, plan.shards), announce)
    runs = []
    neighbours = Neighbours()
    for page_cache in ("cold", "warm"):
        announce("signing messages")
        order = _order(plan, found, stranger)
        if page_cache == "cold":
            forget_pages(found.store)
        announce(f"measuring, page cache {page_cache}")
        runs.append(_in_fresh_program(order))
    return Scale(
        CORES,
        plan.processes,
        plan.shards,
        size_on_disk(found.store) / 1e6,
        found.written_per_second,
        neighbours.share(),
        *runs,
    )


def _order(plan: ScalePlan, found: Known, stranger: Wallet) -> Order:
    mail = Mail(Stranger(stranger), found.wallet.address)
    cold = _Unused(found.processes)
    live = cold.of_each_shard(plan.live)
    pairs = [process for process in cold.of_all(plan.pairs) for _ in range(2)]
    everywhere = random.choices(  # noqa: S311 - nothing secret
        tuple(chain.from_iterable(found.processes)),
        k=IN_FLIGHT + int(plan.seconds * MOST_PER_SECOND),
    )
    return Order(
        started=time.monotonic(),
        store=found.store,
        shards=plan.shards,
        wallet=found.wallet,
        stranger=stranger,
        live=mail.messages(live, len(live)),
        pairs=mail.messages(pairs, len(pairs)),
        uniform=mail.messages(everywhere, len(everywhere)),
        seconds=plan.seconds,
    )


class _Unused:
    """Choose at random among processes that were not chosen before."""

    def __init__(self, processes: Sequence[Sequence[Id]]) -> None:
        self._left = [random.sample(shard, len(shard)) for shard in processes]

    def of_each_shard(self, number: int) -> list[Id]:
        """Return so many of each shard, in turn."""
        chosen = [[left.pop() for _ in range(number)] for left in self._left]
        return list(chain.from_iterable(zip(*chosen, strict=True)))

    def of_all(self, number: int) -> list[Id]:
        """Return as many, from one shard after the other."""
        return [self._left[n % len(self._left)].pop() for n in range(number)]


def _in_fresh_program(order: Order) -> Run:
    order = replace(order, started=time.monotonic())
    finished = subprocess.run(
        [sys.executable, "-m", "bench.scale_program"],
        input=pickle.dumps(order),
        stdout=subprocess.PIPE,
        check=True,
    )
    found: Run = pickle.loads(finished.stdout)  # noqa: S301 - from our own program
    return found
