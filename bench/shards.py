"""`bench shards`: everything in one program beside shards, in units of the crypto floor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from actors import Scheduler, Stage
from bench.accounting import Unaccounted, account, settle
from bench.channel import ChannelCost, channel_cost
from bench.cpu import cpu_seconds
from bench.floor import CORES, NOTHING, Crypto, Slice, average, lone, measure
from bench.items import Mail, Stranger
from bench.load import Completion, Load, rate, set_aside
from bench.neighbours import Neighbours
from bench.stand_ins import CountingUploader, NoSigner, times_asked
from protocol.assignment import Assignment
from protocol.message import verify
from protocol.wallet import Wallet


class Signing(StrEnum):
    """Who signs."""

    RSA = "rsa"
    NO_OP = "no-op"


SPARE = 1.1
"""Items made for each one that the floor would allow."""

UNSIGNED_PER_SECOND = 6000
"""Items for each second of a row in which nothing is signed. A row that has used them up ends
sooner, and its rate is as true."""


@dataclass(frozen=True, slots=True)
class ShardCase:
    """What one row measures."""

    signer: Signing
    shards: int
    processes: int
    in_flight: int

    def __str__(self) -> str:
        return (
            f"{self.signer}, shards: {self.shards}, processes: {self.processes}, "
            f"in flight: {self.in_flight}"
        )


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """All rows, and the conditions they share.

    Attributes:
        signers, shards, processes, in_flight: every combination is a row; 0 shards is
            everything in one program.
        seconds: length of a row.
        floor_seconds: length of a slice of the floor; one before and one after each row that
            signs.
        upload_delay: seconds that each call of the uploader takes.
        messages: that the channel carries in each round of its own measurement.
    """

    signers: Sequence[Signing] = tuple(Signing)
    shards: Sequence[int] = (0, 1, 2, 4)
    processes: Sequence[int] = (16, 256)
    in_flight: Sequence[int] = (1, 64)
    seconds: float = 3.0
    floor_seconds: float = 0.4
    upload_delay: float = 0.02
    messages: int = 5000

    def cases(self) -> list[ShardCase]:
        """Return the rows to measure, so that those that are compared follow one another."""
        order = product(self.signers, self.processes, self.in_flight, self.shards)
        return [ShardCase(s, shards, p, in_flight) for s, p, in_flight, shards in order]


QUICK_SHARDS = ShardPlan(
    shards=(0, 1, 2),
    processes=(256,),
    in_flight=(64,),
    seconds=0.8,
    floor_seconds=0.2,
    messages=1500,
)
"""Done in less than 50 seconds on two cores."""


@dataclass(frozen=True, slots=True)
class ShardRow:
    """What one row found; the fields are those of the JSON.

    Attributes:
        per_second: assignments STORED a second, from the first submission to the last.
        floor_ratio: the same in units of the floor around this row; None where nothing is
            signed.
        cpu_us: CPU time of all programs per assignment, until all are published.
        cpu_floor_ratio: that of the floor in units of it: what `floor_ratio` could be with both
            cores busy all the time. On a machine that others use it is the steadier of the two.

    The last two are in the table only.
    """

    signer: Signing
    shards: int
    processes: int
    in_flight: int
    per_second: float
    floor_ratio: float | None
    cpu_us: float
    cpu_floor_ratio: float | None


@dataclass(frozen=True, slots=True)
class Shards:
    """What `bench shards` found.

    Attributes:
        cores: of this machine.
        floor_per_second: median over all slices; None when no row signs.
        channel: what a message costs on its way to a shard and back.
        disturbed: part of all cores that programs other than these used meanwhile.
        rows: in the order they were measured.
    """

    cores: int
    floor_per_second: float | None
    channel: ChannelCost
    disturbed: float
    rows: Sequence[ShardRow]


def shards(plan: ShardPlan, data: Path, announce: Callable[[str], None]) -> Shards:
    """Measure the channel, then every case of the plan.

    Args:
        plan: what to measure.
        data: folder on the disk to measure; each row has a store of its own below it.
        announce: is told what comes next.

    Raises:
        Unaccounted: the store does not hold what it promised, or not as often signed.
        SchedulerError: a request failed.
    """
    neighbours = Neighbours()
    announce("the channel")
    channel = channel_cost(plan.messages)
    announce("making keys")
    with ThreadPoolExecutor(2) as pool:
        wallet, stranger = pool.map(lambda _: Wallet.generate(), range(2))
    bench = _Bench(plan, data, wallet, stranger)
    rows = []
    for case in plan.cases():
        announce(str(case))
        rows.append(bench.row(case))
    return Shards(CORES, bench.floor(), channel, neighbours.share(), rows)


class _Bench:
    def __init__(self, plan: ShardPlan, data: Path, wallet: Wallet, stranger: Wallet) -> None:
        self._plan = plan
        self._data = data
        self._wallet = wallet
        self._crypto = Crypto(wallet, stranger)
        self._mail = Mail(Stranger(stranger), wallet.address)
        self._signature = lone(self._crypto.sign)
        # The same ones for all rows with so many processes: each row has a store of its own.
        self._spawns: dict[int, Sequence[bytes]] = {}
        self._items: dict[int, list[bytes]] = {}
        self._slices: list[Slice] = []

    def floor(self) -> float | None:
        """Return the floor per second over the run."""
        return median(s.per_second for s in self._slices) if self._slices else None

    def row(self, case: ShardCase) -> ShardRow:
        spawns = self._spawned(case.processes)
        items = self._written(case)
        before = self._slice(case)
        with self._store() as folder:
            completions, cpu = self._load(folder, case, spawns, items)
        floor = average([before, self._slice(case)]) if case.signer is Signing.RSA else None
        return _row(case, completions, cpu, floor)

    def _load(
        self, folder: Path, case: ShardCase, spawns: Sequence[bytes], items: Sequence[bytes]
    ) -> tuple[list[Completion], float]:
        signer = NoSigner() if case.signer is Signing.NO_OP else None
        uploader = CountingUploader(self._plan.upload_delay)
        with Scheduler.open(
            folder, self._wallet, shards=case.shards, uploader=uploader, signer=signer
        ) as scheduler:
            # All at once: one after the other they would take longer than the row.
            tickets = [scheduler.schedule(spawn) for spawn in spawns]
            spawned = [ticket.published.get() for ticket in tickets]
            pids = {os.getpid(), *(shard.pid or 0 for shard in scheduler.status().shards)}
            set_aside()
            cpu = cpu_seconds(pids)
            load = Load(scheduler.schedule, Stage.STORED, case.in_flight)
            completions = load.run(items, self._plan.seconds)
            promised = [*spawned, *(done.future.get() for done in completions)]
            settle(scheduler, promised)
            cpu = cpu_seconds(pids) - cpu
        account(folder, promised)
        if case.signer is Signing.NO_OP:
            _require_asked_once(promised)
        return completions, cpu

    @contextmanager
    def _store(self) -> Iterator[Path]:
        self._data.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._data, prefix="shards-") as folder:
            yield Path(folder) / "store"

    def _slice(self, case: ShardCase) -> Slice:
        if case.signer is Signing.NO_OP:
            return NOTHING
        self._slices.append(measure(self._crypto.both, self._plan.floor_seconds))
        return self._slices[-1]

    def _spawned(self, processes: int) -> Sequence[bytes]:
        if processes not in self._spawns:
            self._spawns[processes] = self._mail.spawns(processes)
        return self._spawns[processes]

    def _written(self, case: ShardCase) -> Sequence[bytes]:
        items = self._items.setdefault(case.processes, [])
        targets = [verify(item).process for item in self._spawned(case.processes)]
        items += self._mail.messages(targets, max(0, self._enough(case) - len(items)))
        return items

    def _enough(self, case: ShardCase) -> int:
        if case.signer is Signing.NO_OP:
            most = float(UNSIGNED_PER_SECOND)
        else:
            most = min(SPARE * CORES, case.in_flight) / self._signature
        return case.in_flight + int(self._plan.seconds * most)


def _require_asked_once(promised: Sequence[Assignment]) -> None:
    asked = times_asked(c.signature for a in promised for c in a.commitments)
    if asked != len(promised):
        raise Unaccounted(f"{asked} signatures were asked for {len(promised)} assignments")


def _row(
    case: ShardCase, completions: Sequence[Completion], cpu: float, floor: Slice | None
) -> ShardRow:
    per_second, each = rate(completions), cpu / len(completions)
    return ShardRow(
        signer=case.signer,
        shards=case.shards,
        processes=case.processes,
        in_flight=case.in_flight,
        per_second=per_second,
        floor_ratio=per_second / floor.per_second if floor else None,
        cpu_us=each * 1e6,
        cpu_floor_ratio=floor.cpu_seconds / each if floor else None,
    )
