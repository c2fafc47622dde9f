"""`bench modes`: throughput and latency of each confirmation mode, beside the crypto floor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from actors import Scheduler, Stage
from bench.accounting import account, settle
from bench.disk import lone_commits
from bench.floor import CORES, NOTHING, Crypto, Slice, average, lone, measure
from bench.items import Author, Forger, Mail, Stranger
from bench.latency import percentile
from bench.load import Completion, Item, Load, rate, set_aside
from bench.neighbours import Neighbours
from bench.plan import Case, Plan
from bench.stand_ins import CountingUploader, NoSigner
from protocol.assignment import Assignment
from protocol.wallet import Wallet

UNSIGNED_PER_SECOND = 25_000
UNSIGNED_SECONDS = 0.0003
"""Without cryptography: a higher rate and a shorter request than the scheduler reaches, so
that no row runs out of items before its time."""

SPARE = 1.1
"""Items made for each one that the floor would allow."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one row found; the fields are those of the JSON.

    Attributes:
        per_second: assignments confirmed a second, from the first submission to the last
            confirmation.
        floor_ratio: the same in units of the floor around this row.
        p50_ms, p95_ms, p99_ms: from `schedule()` to the completion of the stage's future.
        cpu_us_beyond_floor: CPU time of the whole program per assignment, until all of them
            are published, less that of one signature and one verification.
    """

    mode: str
    processes: int
    in_flight: int
    per_second: float
    floor_ratio: float | None
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_us_beyond_floor: float


@dataclass(frozen=True, slots=True)
class Modes:
    """What `bench modes` found; the fields are those of the JSON.

    Attributes:
        cores: of this machine.
        floor_per_second: median over all slices; None without cryptography.
        signature_ms: one signature when nothing else runs; None without cryptography.
        commit_ms: one durable commit when nothing else is written, for latencies to be
            compared with; in the table only.
        disturbed: part of all cores that other programs used meanwhile; in the table only.
        rows: in the order they were measured.
        crypto: False when nothing was signed or verified.
    """

    cores: int
    floor_per_second: float | None
    signature_ms: float | None
    commit_ms: float
    disturbed: float
    rows: Sequence[Row]
    crypto: bool


def modes(plan: Plan, data: Path, announce: Callable[[str], None]) -> Modes:
    """Measure every case of the plan.

    Args:
        plan: what to measure.
        data: folder on the disk to measure; each row has a store of its own below it.
        announce: is told what comes next.

    Raises:
        Unaccounted: the store does not hold what it promised.
        SchedulerError: a request failed.
    """
    announce("making keys")
    with ThreadPoolExecutor(2) as pool:
        wallet, stranger = pool.map(lambda _: Wallet.generate(), range(2))
    bench = _Bench(plan, data, wallet, stranger)
    neighbours = Neighbours()
    rows, commits = [], []
    with lone_commits(data) as commit:
        for case in plan.cases():
            announce(str(case))
            commits.append(lone(commit))
            rows.append(bench.row(case))
    commit_ms = median(commits) * 1000
    return Modes(CORES, *bench.floor(), commit_ms, neighbours.share(), rows, plan.crypto)


class _Bench:
    def __init__(self, plan: Plan, data: Path, wallet: Wallet, stranger: Wallet) -> None:
        self._plan = plan
        self._data = data
        self._wallet = wallet
        self._crypto = Crypto(wallet, stranger)
        author: Author[Item] = Stranger(stranger) if plan.crypto else Forger()
        self._mail = Mail(author, wallet.address)
        self._slices: list[Slice] = []
        self._signatures: list[float] = []

    def floor(self) -> tuple[float | None, float | None]:
        """Return the floor per second and the milliseconds of a signature, over the run."""
        if not self._plan.crypto:
            return None, None
        return median(s.per_second for s in self._slices), median(self._signatures) * 1000

    def row(self, case: Case) -> Row:
        with self._store() as folder, self._open(folder, case) as scheduler:
            spawned = _spawn(scheduler, self._mail.spawns(case.processes))
            items = self._mail.messages([a.process for a in spawned], self._enough(case))
            before = self._slice()
            set_aside()
            cpu = time.process_time()
            completions = Load(scheduler.schedule, case.mode.stage, case.in_flight).run(
                items, self._plan.seconds
            )
            promised = [*spawned, *(c.future.get() for c in completions)]
            settle(scheduler, promised)
            cpu = time.process_time() - cpu
            floor = average([before, self._slice()])
            scheduler.close()
            account(folder, promised)
        return _row(case, completions, cpu, floor)

    @contextmanager
    def _store(self) -> Iterator[Path]:
        self._data.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._data, prefix="modes-") as folder:
            yield Path(folder) / "store"

    def _open(self, folder: Path, case: Case) -> Scheduler:
        return Scheduler.open(
            folder,
            self._wallet,
            case.mode,
            uploader=CountingUploader(self._plan.upload_delay),
            signer=None if self._plan.crypto else NoSigner(),
        )

    def _slice(self) -> Slice:
        if not self._plan.crypto:
            return NOTHING
        self._signatures.append(lone(self._crypto.sign))
        self._slices.append(measure(self._crypto.both, self._plan.floor_seconds))
        return self._slices[-1]

    def _enough(self, case: Case) -> int:
        """Return how many items this case cannot use up."""
        if self._plan.crypto:
            signature = self._signatures[-1] if self._signatures else lone(self._crypto.sign)
            most, shortest = SPARE * CORES / signature, signature
        else:
            most, shortest = UNSIGNED_PER_SECOND, UNSIGNED_SECONDS
        if case.mode.stage is Stage.PUBLISHED:
            shortest += self._plan.upload_delay
        return case.in_flight + int(self._plan.seconds * min(most, case.in_flight / shortest))


def _spawn(scheduler: Scheduler, items: Sequence[Item]) -> list[Assignment]:
    tickets = [scheduler.schedule(item) for item in items]
    return [ticket.published.get() for ticket in tickets]


def _row(case: Case, completions: Sequence[Completion], cpu: float, floor: Slice) -> Row:
    per_second = rate(completions)
    latencies = [completion.seconds * 1000 for completion in completions]
    return Row(
        mode=case.mode.value,
        processes=case.processes,
        in_flight=case.in_flight,
        per_second=per_second,
        floor_ratio=per_second / floor.per_second if floor.per_second else None,
        p50_ms=percentile(latencies, 50),
        p95_ms=percentile(latencies, 95),
        p99_ms=percentile(latencies, 99),
        cpu_us_beyond_floor=(cpu / len(completions) - floor.cpu_seconds) * 1e6,
    )
