"""`bench recovery`: how fast a store of very many processes is back, and in how much memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from actors import Scheduler
from bench.bulk import fill
from bench.items import Mail, Stranger
from bench.memory import Memory, memory
from bench.page_cache import forget_pages, size_on_disk
from bench.stand_ins import CountingUploader
from protocol.wallet import Wallet
from storage import open_writer


@dataclass(frozen=True, slots=True)
class Reopening:
    """What one fresh OS process found.

    Attributes:
        page_cache: "cold" when the system held no page of the store, else "warm".
        seconds: from `Scheduler.open` to the first assignment that is STORED.
        before, opened: memory before opening, and after that first assignment.
        live_processes: actors alive at the end.
        live: memory with those.
    """

    page_cache: str
    seconds: float
    before: Memory
    opened: Memory
    live_processes: int
    live: Memory


@dataclass(frozen=True, slots=True)
class Recovery:
    """What `bench recovery` found; the fields are those of the JSON.

    Attributes:
        processes: in the store, each with one published assignment.
        store_mb: size on disk.
        written_per_second: processes written a second, in bulk.
        reopenings: with a cold page cache, then with a warm one.
    """

    processes: int
    store_mb: float
    written_per_second: float
    reopenings: Sequence[Reopening]


def recovery(data: Path, processes: int, live: int, announce: Callable[[str], None]) -> Recovery:
    """Write a store, and open it in fresh OS processes.

    Args:
        data: folder on the disk to measure.
        processes: how many AO processes the store holds.
        live: how many of them get an actor.
        announce: is told what comes next.
    """
    wallet, stranger = Wallet.generate(), Wallet.generate()
    data.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=data, prefix="recovery-") as folder:
        store = Path(folder) / "store"
        announce(f"writing {processes:,} processes with random signatures")
        began = time.perf_counter()
        with open_writer(store) as journal:
            ids = fill(journal, wallet.owner, processes)
        written = processes / (time.perf_counter() - began)
        reopenings = []
        for page_cache in ("cold", "warm"):
            announce(f"opening, page cache {page_cache}")
            items = Mail(Stranger(stranger), wallet.address).messages(ids[:live], live)
            if page_cache == "cold":
                forget_pages(store)
            reopenings.append(_in_fresh_process(page_cache, store, wallet, items))
        return Recovery(processes, size_on_disk(store) / 1e6, written, reopenings)


def _in_fresh_process(
    page_cache: str, store: Path, wallet: Wallet, items: Sequence[bytes]
) -> Reopening:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(reopen, page_cache, store, wallet, items).result()


def reopen(page_cache: str, store: Path, wallet: Wallet, items: Sequence[bytes]) -> Reopening:
    """Open the store, schedule one message, then the others, each for another process."""
    before = memory()
    began = time.perf_counter()
    with Scheduler.open(store, wallet, uploader=CountingUploader(0.0)) as scheduler:
        scheduler.schedule(items[0]).stored.get()
        seconds = time.perf_counter() - began
        opened = memory()
        for ticket in [scheduler.schedule(item) for item in items[1:]]:
            ticket.stored.get()
        live_processes = len(scheduler.registry.processes().get())
        return Reopening(page_cache, seconds, before, opened, live_processes, memory())
