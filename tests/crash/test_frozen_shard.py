"""A shard whose program is stopped (SIGSTOP): it holds its store, and answers nothing."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from actors import Stage
from protocol.errors import OutcomeUnknown, StoreInUse
from protocol.wallet import Wallet
from storage.layout import Layout
from storage.lock import WriterLock
from tests.actors.shards.lines import until
from tests.crash.answers import ending
from tests.crash.insisting import Insisting
from tests.crash.recovery import recover
from tests.crash.sharded import PATIENT, is_stopped, opened, pid_of, starts, stop
from tests.crash.telling import Item
from tests.crash.testimony import Testimony
from tests.items import message_item

LATE_SECONDS = 1.5
MESSAGES = 6


@pytest.fixture
def late(spawns: tuple[Item, ...], user_wallet: Wallet) -> Item:
    """A message for the process in the first shard."""
    return Item.of(message_item(user_wallet, spawns[0].id))


@pytest.fixture
def others(spawns: tuple[Item, ...], user_wallet: Wallet) -> list[Item]:
    """Messages for the process in the other shard."""
    messages = (message_item(user_wallet, spawns[1].id, number) for number in range(MESSAGES))
    return [Item.of(message) for message in messages]


@pytest.mark.guarantee("L1", "S13")
def test_requests_to_a_frozen_shard_end_and_those_of_others_go_on(
    testimony: Testimony,
    spawns: tuple[Item, ...],
    late: Item,
    others: list[Item],
    wallets: tuple[Wallet, ...],
) -> None:
    """At the deadline they are unknown, and once the shard goes on, the same message has a slot."""
    with opened(testimony.root, wallets, deadline=LATE_SECONDS) as scheduler:
        callers = Insisting(scheduler)
        callers.send_all(spawns)
        frozen = pid_of(scheduler, 0)
        stop(frozen)
        ticket = scheduler.schedule(late.message)
        callers.send_all(others)
        assert all(isinstance(ending(ticket, stage), OutcomeUnknown) for stage in Stage)
        assert is_stopped(frozen)
        assert scheduler.slot(spawns[0].id) == 0
        os.kill(frozen, signal.SIGCONT)
        callers.send_all([late])
        assert scheduler.slot(spawns[0].id) == 1
        assert pid_of(scheduler, 0) == frozen
    testimony.hear(callers.records)
    recover(testimony, wallets, [*spawns, late, *others])


@pytest.mark.guarantee("S1", "S9", "S13", "L1", "L3")
def test_a_silent_shard_is_killed_and_only_then_succeeded(
    testimony: Testimony,
    spawns: tuple[Item, ...],
    late: Item,
    others: list[Item],
    wallets: tuple[Wallet, ...],
) -> None:
    """It keeps its lock until it is dead; its successor gets the store at the first try."""
    quick = replace(PATIENT, silence_seconds=3.0)
    with opened(testimony.root, wallets, supervision=quick) as scheduler:
        callers = Insisting(scheduler)
        callers.send_all(spawns)
        before, frozen = starts(scheduler)[0], pid_of(scheduler, 0)
        stop(frozen)
        with pytest.raises(StoreInUse, match=f"in use by PID {frozen}$"):
            WriterLock(Layout(testimony.root).lock(0))
        ticket = scheduler.schedule(late.message)
        callers.send_all(others)
        assert all(isinstance(ending(ticket, stage), OutcomeUnknown) for stage in Stage)
        callers.send_all([late])
        assert not Path(f"/proc/{frozen}").exists()
        assert scheduler.slot(spawns[0].id) == 1
        until(lambda: starts(scheduler)[0] == before + 1)
        assert pid_of(scheduler, 0) != frozen
    testimony.hear(callers.records)
    recover(testimony, wallets, [*spawns, late, *others])
