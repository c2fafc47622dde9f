"""`bench http`: a node under load from client programs, beside the crypto floor of the same run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from actors import SchedulingMode
from bench.accounting import account
from bench.floor import CORES, Crypto, Slice, average, lone, measure
from bench.http_node import ServedNode, sandboxed, served
from bench.http_rows import Http, HttpRow, beside, row
from bench.http_target import Target
from bench.items import Mail, Stranger
from bench.plan import MODES
from protocol.ids import Id
from protocol.message import verify
from protocol.wallet import Wallet
from storage import PAGE_LIMIT

SPARE = 1.1
"""Items made for each one that the floor would allow."""


@dataclass(frozen=True, slots=True)
class HttpPlan:
    """What to measure.

    Attributes:
        modes, connections, versions: every combination is a row; versions are 1 and 2.
        seconds: length of a row.
        floor_seconds: length of a slice of the floor; one before and one after each row.
        sandbox: publish to the local stand-in for a bundler instead of into a folder.
    """

    modes: Sequence[SchedulingMode] = MODES
    connections: Sequence[int] = (1, 16, 64)
    versions: Sequence[int] = (1, 2)
    seconds: float = 3.0
    floor_seconds: float = 0.4
    sandbox: bool = False


QUICK_HTTP = HttpPlan(connections=(1, 64), versions=(1,), seconds=0.8, floor_seconds=0.2)


def http(plan: HttpPlan, data: Path, announce: Callable[[str], None]) -> Http:
    """Serve a new store and measure every case of the plan, then the reads.

    Raises:
        RequestsFailed: an answer was no success.
        NotStarted: the node, or the sandbox, did not begin to serve.
        Unaccounted: the store does not hold what the answers promised.
    """
    announce("making keys")
    wallet, floor, mail = _prepared(plan)
    with _folder(data) as folder:
        wallet.save(folder / "wallet.json")
        (item,) = mail.spawns(1)
        with _node(plan, folder) as node:
            target = Target(node.url, verify(item).message_id, mail, node)
            target.spawn(item)
            rows = [*_writes(plan, target, floor, announce), *_reads(plan, target, announce)]
        account(node.store, target.promised)
    return Http(CORES, floor.per_second, rows)


def against(plan: HttpPlan, url: str, process: Id, announce: Callable[[str], None]) -> Http:
    """Measure any other node by the same load on one of its processes; spawns nothing.

    Raises:
        RequestsFailed: an answer was no success.
    """
    announce("making keys")
    _, floor, mail = _prepared(plan)
    target = Target(url.rstrip("/"), process, mail, None)
    rows = [*_writes(plan, target, floor, announce), *_reads(plan, target, announce)]
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
        yield beside(row(mode.value, load, connections, version), average([before, after]))
        before = after


def _reads(plan: HttpPlan, target: Target, announce: Callable[[str], None]) -> Iterator[HttpRow]:
    announce("page")
    page = f"schedule?from=0&to={PAGE_LIMIT - 1}"
    load, slots = target.get(page, 1, plan.seconds), target.slots_of(page)
    yield row("page (aos-2)", load, 1, slots=slots)
    announce("slot")
    yield row("slot", target.get("slot", CORES, plan.seconds), CORES)


@contextmanager
def _node(plan: HttpPlan, folder: Path) -> Iterator[ServedNode]:
    with ExitStack() as stack:
        bundler = ["--bundler", stack.enter_context(sandboxed())] if plan.sandbox else []
        yield stack.enter_context(served(folder, *bundler))


@contextmanager
def _folder(data: Path) -> Iterator[Path]:
    data.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=data, prefix="http-") as folder:
        yield Path(folder)
