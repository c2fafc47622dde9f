"""A shard that is fenced: started again while the other serves, but not without end."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from actors import Scheduler, Stage
from actors.probe import Point
from protocol.errors import Closed, OutcomeUnknown, Recovering
from protocol.wallet import Wallet
from tests.actors.shards.lines import Bar, until
from tests.crash.answers import answers, ending
from tests.crash.barred import BarredBlocks
from tests.crash.insisting import Insisting
from tests.crash.recovery import recover
from tests.crash.sharded import PATIENT, SHARDS, opened, pid_of, starts
from tests.crash.telling import Item, Told
from tests.crash.testimony import Testimony
from tests.crash.traps import Deed, Traps
from tests.items import message_item


@pytest.mark.guarantee("S1", "S4", "S13", "L1", "L3")
@pytest.mark.parametrize("point", [Point.BEFORE_PIN_COMMIT, Point.AFTER_COMMITMENT_COMMIT])
def test_a_fenced_shard_recovers_while_the_other_serves(
    point: Point,
    testimony: Testimony,
    spawns: tuple[Item, ...],
    wallets: tuple[Wallet, ...],
    user_wallet: Wallet,
    traps: Traps,
    tmp_path: Path,
) -> None:
    """Its processes are refused meanwhile, and can be read; then they go on where they were."""
    lost, kept = messages(user_wallet, spawns[0]), messages(user_wallet, spawns[1])
    barred = BarredBlocks(tmp_path / "bar")
    barred.bar.touch()
    with opened(testimony.root, wallets, probe=traps.probe, block_clock=barred) as scheduler:
        callers = Insisting(scheduler)
        callers.send_all(spawns)
        assert starts(scheduler) == [1, 1]
        bar = Bar(barred.bar)
        traps.lay(point, Deed.RAISE)
        told = answers(scheduler.schedule(lost[0].message))
        assert Stage.PUBLISHED not in told
        assert refusal(scheduler, lost[1]).retry_after
        callers.send_all(kept)
        assert scheduler.latest(spawns[0].id).slot == scheduler.slot(spawns[0].id)
        until(lambda: states(scheduler) == ["recovering", "ready"])
        bar.lift()
        callers.send_all(lost)
        assert [scheduler.slot(spawn.id) for spawn in spawns] == [len(lost), len(kept)]
        assert starts(scheduler) == [2, 1]
        bar.close()
    testimony.hear(Told(lost[0].id, *answer) for answer in told.items())
    testimony.hear(callers.records)
    recover(testimony, wallets, [*spawns, *lost, *kept])


@pytest.mark.guarantee("S1", "S4", "L1")
def test_a_shard_that_does_not_keep_running_closes_the_scheduler(
    testimony: Testimony, spawns: tuple[Item, ...], wallets: tuple[Wallet, ...], traps: Traps
) -> None:
    """Past the limit of restarts all shards end, and whoever schedules is told why."""
    few = replace(PATIENT, max_restarts=1)
    with opened(testimony.root, wallets, supervision=few, probe=traps.probe) as scheduler:
        callers = Insisting(scheduler)
        callers.send_all(spawns)
        programs = [pid_of(scheduler, number) for number in range(SHARDS)]
        os.kill(programs[0], signal.SIGKILL)
        until(lambda: starts(scheduler) == [2, 1])
        os.kill(pid_of(scheduler, 0), signal.SIGKILL)
        until(lambda: scheduler.closed)
        with pytest.raises(Closed, match="shard 0 ended 2 times; at most 1 restarts within 60 s"):
            scheduler.schedule(spawns[0].message)
        assert "was killed by SIGKILL" in str(scheduler.status().fenced)
        assert not any(Path(f"/proc/{pid}").exists() for pid in programs)
    testimony.hear(callers.records)
    recover(testimony, wallets, spawns)


def states(scheduler: Scheduler) -> list[str]:
    return [shard.state for shard in scheduler.status().shards]


def messages(user: Wallet, process: Item) -> list[Item]:
    return [Item.of(message_item(user, process.id, number)) for number in range(3)]


def refusal(scheduler: Scheduler, item: Item) -> Recovering:
    """Ask until the end of the shard is known here; nobody takes the message up."""
    while isinstance(
        end := ending(scheduler.schedule(item.message), Stage.ASSIGNED), OutcomeUnknown
    ):
        pass
    assert isinstance(end, Recovering)
    return end
