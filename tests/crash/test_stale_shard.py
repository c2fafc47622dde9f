"""A shard that believes it has its store, while somebody who went past its lock writes there."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from actors import Stage
from actors.probe import Point
from protocol.wallet import Wallet
from tests.actors.shards.lines import until
from tests.crash.answers import answers
from tests.crash.insisting import Insisting
from tests.crash.program import Program
from tests.crash.recovery import recover
from tests.crash.sharded import SHARDS, opened, pid_of, starts, wait_until_stopped
from tests.crash.telling import Done, Item, Job, Told
from tests.crash.testimony import Testimony
from tests.crash.traps import Deed, Traps
from tests.items import message_item


@pytest.mark.guarantee("S1", "S9", "S13", "L1")
@pytest.mark.parametrize("point", [Point.BEFORE_PIN_COMMIT, Point.BEFORE_COMMITMENT_COMMIT])
def test_the_owner_token_stops_a_stale_shard(
    point: Point,
    testimony: Testimony,
    spawns: tuple[Item, ...],
    wallets: tuple[Wallet, ...],
    wallet_files: tuple[Path, ...],
    user_wallet: Wallet,
    traps: Traps,
    warned: Callable[[], str],
) -> None:
    """Stopped before a commit and then overtaken, it writes nothing of it, and begins anew."""
    stale, new = (Item.of(message_item(user_wallet, spawns[0].id, number)) for number in range(2))
    thief = Job(testimony.root, wallet_files, (new,), past_the_lock=True, shards=SHARDS, shard=0)
    with opened(testimony.root, wallets, probe=traps.probe) as scheduler:
        callers = Insisting(scheduler)
        callers.send_all(spawns)
        until(lambda: not scheduler.pending())
        holder = pid_of(scheduler, 0)
        traps.lay(point, Deed.STOP)
        ticket = scheduler.schedule(stale.message)
        wait_until_stopped(holder)
        with Program(thief, testimony.root.parent) as program:
            program.wait_for(Done)
            assert program.listen_to_its_end() == 0
        testimony.hear(program.records)
        written = scheduler.page(spawns[0].id).assignments
        os.kill(holder, signal.SIGCONT)
        told = answers(ticket)
        assert Stage.STORED not in told
        testimony.hear(Told(stale.id, *answer) for answer in told.items())
        until(lambda: starts(scheduler)[0] == 2)
        assert "shard 0 was fenced: another writer has taken this store over" in warned()
        assert scheduler.page(spawns[0].id).assignments == written
        callers.send_all([new, stale])
        assert pid_of(scheduler, 0) != holder
    testimony.hear(callers.records)
    recover(testimony, wallets, [*spawns, stale, new])
