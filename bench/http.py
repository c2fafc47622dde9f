"""`bench http`: a node under load from client programs, beside the crypto floor of the same run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from actors import SchedulingMode
from bench.accounting import account
from bench.floor import CORES, Crypto, Slice, average, lone, measure
from bench.http_load import Load
from bench.http_node import served
from bench.http_target import Target
from bench.items import Mail, Stranger
from bench.latency import percentile
from bench.plan import MODES
from protocol.ids import Id
from protocol.message import verify
from protocol.wallet import Wallet

PAGE_SLOTS = 1000
SPARE = 1.1
"""Items made for each one that the floor would allow."""


@dataclass(frozen=True, slots=True)
class HttpPlan:
    """What to measure.

    Attributes:
        modes, connections, versions: every combination is a row; versions are 1 and 2.
        seconds: length of a row.
        floor_seconds: length of a slice of the floor; one before and one after each row.
    """

    modes: Sequence[SchedulingMode] = MODES
    connections: Sequence[int] = (1, 16, 64)
    versions: Sequence[int] = (1, 2)
    seconds: float = 3.0
    floor_seconds: float = 0.4


QUICK_HTTP = HttpPlan(connections=(1, 64), versions=(1,), seconds=1.0, floor_seconds=0.2)


@dataclass(frozen=True, slots=True)
class HttpRow:
    """What one row found; the fields are those of the JSON. CPU is None for a foreign node.

    Attributes:
        what: confirmation mode, or the path that was read.
        per_second: answers a second.
        floor_ratio: the same in units of the floor around this row, for rows that sign.
        p50_ms, p95_ms, p99_ms: from the request to its whole answer.
        server_cpu_us: CPU time of the node per request.
        signature_cpu_us: of it, one signature and one verification, by the floor.
        rest_cpu_us: of it, everything else: HTTP, scheduling, storing, publishing.
        cpu_bound_ratio: requests per server CPU second, in units of the floor's.
    """

    what: str
    http: int
    connections: int
    per_second: float
    floor_ratio: float | None
    p50_ms: float
    p95_ms: float
    p99_ms: float
    server_cpu_us: float | None
    signature_cpu_us: float | None
    rest_cpu_us: float | None
    cpu_bound_ratio: float | None


@dataclass(frozen=True, slots=True)
class Http:
    """What `bench http` found; the fields are those of the JSON.

    Attributes:
        cores: of this machine.
        floor_per_second: median over all slices, all cores.
        rows: in the order they were measured.
    """

    cores: int
    floor_per_second: float
    rows: Sequence[HttpRow]


def http(plan: HttpPlan, data: Path, announce: Callable[[str], None]) -> Http:
    """Serve a new store and measure every case of the plan, then the reads.

    Raises:
        RequestsFailed: an answer was no success.
        Unaccounted: the store does not hold what the answers promised.
    """
    announce("making keys")
    wallet, floor, mail = _prepared(plan)
    with _folder(data) as folder:
        wallet.save(folder / "wallet.json")
        (item,) = mail.spawns(1)
        with served(folder) as node:
            target = Target(node.url, verify(item).message_id, mail, node)
            target.spawn(item)
            rows = [*_writes(plan, target, floor, announce), *_reads(plan, target, announce)]
        account(folder / "store", target.promised)
    return Http(CORES, floor.per_second, rows)


def against(plan: HttpPlan, url: str, process: Id, announce: Callable[[str], None]) -> Http:
    """Measure any other node by the same load on one of its processes; spawns nothing."""
    announce("making keys")
    _, floor, mail = _prepared(plan)
    target = Target(url.rstrip("/"), process, mail, None)
    rows = list(_writes(plan, target, floor, announce))
    return Http(CORES, floor.per_second, rows)


class _Floor:
    """The cryptography of one assignment, looked at again and again."""

    def __init__(self, crypto: Crypto, seconds: float) -> None:
        self.signature = lone(crypto.sign)
        self._crypto = crypto
        self._seconds = seconds
        self._slices: list[Slice] = []

    @property
    def per_second(self) -> float:
        """Median over all slices."""
        return median(s.per_second for s in self._slices)

    def look(self) -> Slice:
        """Measure it now."""
        self._slices.append(measure(self._crypto.both, self._seconds))
        return self._slices[-1]


def _prepared(plan: HttpPlan) -> tuple[Wallet, _Floor, Mail[bytes]]:
    with ThreadPoolExecutor(2) as pool:
        wallet, stranger = pool.map(lambda _: Wallet.generate(), range(2))
    floor = _Floor(Crypto(wallet, stranger), plan.floor_seconds)
    return wallet, floor, Mail(Stranger(stranger), wallet.address)


def _writes(
    plan: HttpPlan, target: Target, floor: _Floor, announce: Callable[[str], None]
) -> Iterator[HttpRow]:
    before = floor.look()
    for mode, connections, version in product(plan.modes, plan.connections, plan.versions):
        announce(f"{mode.value}, connections: {connections}, HTTP/{version}")
        most = min(SPARE * CORES, connections) / floor.signature
        items = target.messages(connections + int(plan.seconds * most))
        load = target.post(items, connections, version, plan.seconds, mode)
        after = floor.look()
        yield _beside(_row(mode.value, version, connections, load), average([before, after]))
        before = after


def _reads(plan: HttpPlan, target: Target, announce: Callable[[str], None]) -> Iterator[HttpRow]:
    process = target.process
    slots = min(PAGE_SLOTS, len(target.promised))
    page = f"/{process}/schedule?from=0&to={slots - 1}&accept=application/aos-2"
    reads = [(f"page of {slots} (aos-2)", page, 1), ("slot", f"/{process}/slot", CORES)]
    for what, path, connections in reads:
        announce(what)
        yield _row(what, 1, connections, target.get(path, connections, plan.seconds))


def _row(what: str, version: int, connections: int, load: Load) -> HttpRow:
    p50, p95, p99 = (percentile(load.latencies, percent) * 1000 for percent in (50, 95, 99))
    used = load.cpu_seconds
    cpu = None if used is None else used / len(load.latencies) * 1e6
    return HttpRow(
        what=what,
        http=version,
        connections=connections,
        per_second=load.per_second,
        floor_ratio=None,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        server_cpu_us=cpu,
        signature_cpu_us=None,
        rest_cpu_us=cpu,
        cpu_bound_ratio=None,
    )


def _beside(row: HttpRow, floor: Slice) -> HttpRow:
    row = replace(row, floor_ratio=row.per_second / floor.per_second)
    if row.server_cpu_us is None:
        return row
    signature = floor.cpu_seconds * 1e6
    return replace(
        row,
        signature_cpu_us=signature,
        rest_cpu_us=row.server_cpu_us - signature,
        cpu_bound_ratio=signature / row.server_cpu_us,
    )


@contextmanager
def _folder(data: Path) -> Iterator[Path]:
    data.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=data, prefix="http-") as folder:
        yield Path(folder)
