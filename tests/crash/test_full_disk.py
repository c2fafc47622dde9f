"""A disk that fills up under a live scheduler."""

from __future__ import annotations

import pytest

from actors import Scheduler, Stage
from actors.probe import Point
from protocol.errors import Closed, OutcomeUnknown, StoreFull
from protocol.wallet import Wallet
from storage import StoreSettings
from tests.crash.answers import answers, ending
from tests.crash.probes import Hold
from tests.crash.recovery import recover
from tests.crash.telling import Item, Told
from tests.crash.testimony import Testimony
from tests.disks import SmallDisk, StatedDisk
from tests.items import message_item

RESERVE = StoreSettings(min_free_bytes=64 << 10)


@pytest.mark.guarantee("L3")
def test_below_the_reserve_messages_wait_outside(
    testimony: Testimony,
    one_process: tuple[Item, ...],
    wallets: tuple[Wallet, ...],
    disk: StatedDisk,
) -> None:
    """Short of space a message is refused and told when to come again; reads go on meanwhile."""
    spawn, message, *_ = one_process
    # Room for the first message, to the byte.
    disk.free = RESERVE.min_free_bytes + len(spawn.encoded)
    with Scheduler.open(testimony.root, wallets, store=RESERVE, deadline=60) as scheduler:
        first = scheduler.assign(spawn.encoded, Stage.PUBLISHED)
        disk.free = RESERVE.min_free_bytes
        refusal = ending(scheduler.schedule(message.message), Stage.ASSIGNED)
        assert isinstance(refusal, StoreFull)
        assert refusal.retry_after
        assert scheduler.assign(spawn.encoded) == scheduler.latest(spawn.id) == first
        assert scheduler.status().fenced is None
        disk.free = 1 << 40
        assert scheduler.assign(message.encoded).slot == 1
    recover(testimony, wallets, [spawn, message])


@pytest.mark.guarantee("S1", "S4", "S13", "L1", "L3")
def test_a_disk_that_is_full_inside_a_commit(
    small_disk: SmallDisk,
    one_process: tuple[Item, ...],
    wallets: tuple[Wallet, ...],
    user_wallet: Wallet,
) -> None:
    """The scheduler stops and does not know; reopened it reads, refuses, and then goes on."""
    testimony = Testimony(small_disk.folder / "store")
    spawn, message, *_ = one_process
    heavy = Item.of(message_item(user_wallet, spawn.id, data=bytes(500_000)))
    hold = Hold(Point.BEFORE_PIN_COMMIT)
    with Scheduler.open(testimony.root, wallets, store=RESERVE, probe=hold, deadline=60) as stopped:
        testimony.hear(
            Told(spawn.id, *answer) for answer in answers(stopped.schedule(spawn.message)).items()
        )
        hold.arm()
        ticket = stopped.schedule(heavy.encoded)
        hold.wait()
        small_disk.fill()
        hold.release()
        assert isinstance(ending(ticket, Stage.ASSIGNED), OutcomeUnknown)
        with pytest.raises(Closed, match="fenced"):
            stopped.schedule(message.message)
    testimony.judge()
    with Scheduler.open(testimony.root, wallets, store=RESERVE, deadline=60) as scheduler:
        assert scheduler.latest(spawn.id).slot == 0
        refusal = ending(scheduler.schedule(heavy.encoded), Stage.ASSIGNED)
        assert isinstance(refusal, StoreFull)
        assert refusal.retry_after
        small_disk.clear()
        assert scheduler.assign(heavy.encoded, Stage.PUBLISHED).slot == 1
        assert scheduler.assign(message.encoded, Stage.PUBLISHED).slot == 2
    recover(testimony, wallets, [spawn, heavy, message])
