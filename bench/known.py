"""Stores that know very many processes: written once per folder, and used again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.bulk import fill
from bench.floor import CORES
from bench.items import Forger
from protocol.ids import Id
from protocol.wallet import Wallet
from storage import open_reader, open_writer, read_all
from storage.placement import shard_of


@dataclass(frozen=True, slots=True)
class Known:
    """A store of known processes.

    Attributes:
        store: its folder.
        wallet: that the processes name as their scheduler's.
        processes: their IDs, shard by shard.
        written_per_second: processes written a second, None when the store was there already.
    """

    store: Path
    wallet: Wallet
    processes: tuple[tuple[Id, ...], ...]
    written_per_second: float | None


def known(data: Path, processes: int, shards: int, announce: Callable[[str], None]) -> Known:
    """Return a store of so many processes with one published assignment each, over `shards`.

    Args:
        data: folder on the disk to measure. The store stays there and is used again.
        processes: how many.
        shards: at least 1.
        announce: is told what comes next.
    """
    folder = data / f"known-{processes}-{shards}"
    written = None
    if not folder.exists():
        announce(f"writing {processes:,} processes with random signatures, once for this folder")
        written = _make(folder, processes, shards)
    announce("reading the IDs of the processes")
    ids = tuple(tuple(_processes(folder / "store", shard)) for shard in range(shards))
    return Known(folder / "store", Wallet.load(folder / "wallet.json"), ids, written)


def _make(folder: Path, processes: int, shards: int) -> float:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix="known-") as temporary:
        made = Path(temporary) / "made"
        made.mkdir()
        wallet = Wallet.generate()
        wallet.save(made / "wallet.json")
        began = time.perf_counter()
        _write(made / "store", wallet.owner, processes, shards)
        seconds = time.perf_counter() - began
        # Only whole stores get the name under which they are used again.
        made.rename(folder)
    return processes / seconds


def _write(store: Path, owner: bytes, processes: int, shards: int) -> None:
    with ProcessPoolExecutor(min(CORES, shards), mp_context=get_context("spawn")) as pool:
        share = partial(write_shard, store, owner, shards, processes)
        list(pool.map(share, range(shards)))


def write_shard(store: Path, owner: bytes, shards: int, processes: int, shard: int) -> None:
    """Write one shard's part of so many processes: such as have their place there."""
    part = len(range(shard, processes, shards))
    with open_writer(store, shard=shard, shards=shards) as journal:
        fill(journal, owner, part, author=Forger(lambda id_: shard_of(id_, shards) == shard))


def _processes(store: Path, shard: int) -> Iterable[Id]:
    with open_reader(store, shard=shard) as reader:
        yield from read_all(reader)
