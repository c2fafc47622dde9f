"""Shards that are killed at every point of a message's way, while their callers go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from actors import SchedulingMode
from actors.probe import Point
from protocol.wallet import Wallet
from tests.actors.shards.lines import until
from tests.crash.conftest import PROCESSES
from tests.crash.insisting import Insisting
from tests.crash.recovery import recover
from tests.crash.sharded import SHARDS, opened, starts
from tests.crash.telling import Item
from tests.crash.testimony import Testimony
from tests.crash.traps import Deed, Traps
from tests.items import message_item

Kill = Callable[[Sequence[Point], SchedulingMode, int], None]

MODES = (
    SchedulingMode.AGGRESSIVE,
    SchedulingMode.LOCAL_CONFIRMATION,
    SchedulingMode.REMOTE_CONFIRMATION,
)
POINTS = tuple(Point)


@pytest.fixture
def kill(
    testimony: Testimony,
    items: tuple[Item, ...],
    wallets: tuple[Wallet, ...],
    user_wallet: Wallet,
    traps: Traps,
) -> Kill:
    """Kill shards at some points, one after the other, and hold what they said against the end."""

    def kill_and_judge(points: Sequence[Point], mode: SchedulingMode, visit: int) -> None:
        sent = [replace(item, mode=mode) for item in items]
        spawns = sent[:PROCESSES]
        with opened(testimony.root, wallets, probe=traps.probe) as scheduler:
            callers = Insisting(scheduler)
            for number, point in enumerate(points):
                traps.lay(point, Deed.KILL, visit)
                callers.send_all(spawns)
                callers.send_all(sent[PROCESSES + number :: len(points)])
                while not traps.sprung(point):
                    # Some points are passed once for several messages.
                    more = [message_item(user_wallet, spawn.id, len(sent)) for spawn in spawns]
                    sent += [Item.of(item, mode) for item in more]
                    callers.send_all(sent[-PROCESSES:])
                until(lambda killed=number + 1: sum(starts(scheduler)) == SHARDS + killed)
        testimony.hear(callers.records)
        recover(testimony, wallets, sent)

    return kill_and_judge


@pytest.mark.guarantee("S1", "S2", "S3", "S4", "S5", "S6", "S13", "L1", "L3")
@pytest.mark.parametrize("mode", MODES)
def test_callers_who_ask_a_killed_shard_again_get_one_slot(
    kill: Kill, mode: SchedulingMode
) -> None:
    """A shard killed at a point is started again; who asks again has one slot, which holds."""
    number = MODES.index(mode)
    kill(POINTS[number :: len(MODES)], mode, number + 1)


@pytest.mark.slow
@pytest.mark.parametrize("visit", [1, 2, 3])
@pytest.mark.parametrize("mode", MODES)
def test_callers_who_ask_any_killed_shard_again_get_one_slot(
    kill: Kill, mode: SchedulingMode, visit: int
) -> None:
    """The same at every point in every mode, at an early visit."""
    kill(POINTS, mode, visit)
