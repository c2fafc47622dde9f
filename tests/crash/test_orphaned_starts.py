"""A program that is killed while its shards are still starting."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.errors import StoreInUse
from protocol.wallet import Wallet
from storage import open_writer
from storage.layout import Layout
from tests.actors.shards.lines import Bar, Watched, until
from tests.crash.program import Program
from tests.crash.recovery import recover
from tests.crash.sharded import SHARDS
from tests.crash.telling import Item, Job, Opened, Opening
from tests.crash.testimony import Testimony


@pytest.mark.guarantee("S9", "L3")
def test_shards_that_are_still_starting_do_not_outlive_their_parent(
    testimony: Testimony,
    items: tuple[Item, ...],
    wallets: tuple[Wallet, ...],
    wallet_files: tuple[Path, ...],
    tmp_path: Path,
) -> None:
    """Whoever has a store already gives it up, and then the next start works at once."""
    bar = Bar(tmp_path / "bar")
    job = Job(testimony.root, wallet_files, items, shards=SHARDS, bar=bar.path)
    with Program(job, tmp_path) as program:
        program.wait_for(Opening)
        # Whoever makes the store holds its first shard meanwhile.
        until(lambda: not {None, program.pid}.intersection(holders(testimony.root)))
        starting = [Watched(pid) for pid in holders(testimony.root)]
        program.kill()
    assert not any(isinstance(record, Opened) for record in program.records)
    for number, pid in enumerate(holders(testimony.root)):
        with pytest.raises(StoreInUse, match=f"in use by PID {pid}$"):
            open_writer(testimony.root, shard=number, shards=SHARDS)
    bar.lift()
    recover(testimony, wallets, items)
    for shard in starting:
        assert shard.gone
        shard.close()
    bar.close()


def holders(root: Path) -> list[int | None]:
    """Which programs have the shards, by number."""
    locks = [Layout(root).lock(number) for number in range(SHARDS)]
    found = [lock.read_text().split() if lock.exists() else [] for lock in locks]
    return [int(words[0]) if words else None for words in found]
