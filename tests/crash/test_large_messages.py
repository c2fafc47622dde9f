"""Messages of a megabyte and more: files of their own, written before their slot is given."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from actors import Scheduler, SchedulingMode
from actors.probe import Point
from protocol.codecs.ans104 import MAX_ITEM_BYTES
from protocol.errors import NotFound, TooLarge
from protocol.wallet import Wallet
from tests.crash.program import Program
from tests.crash.recovery import recover
from tests.crash.telling import Item, Job
from tests.crash.testimony import Testimony
from tests.items import message_item

MILLION = 1_000_000

Sized = Callable[[int], bytes]


@pytest.fixture
def sized(items: tuple[Item, ...], user_wallet: Wallet) -> Sized:
    """Make a message for the first process of exactly so many bytes."""

    def make(size: int) -> bytes:
        around = len(message_item(user_wallet, items[0].id, data=b""))
        item = message_item(user_wallet, items[0].id, data=bytes(size - around))
        assert len(item) == size
        return item

    return make


@pytest.mark.guarantee("S4", "S5", "S10")
@pytest.mark.parametrize("size", [MILLION - 1, MILLION, 1 << 20, MAX_ITEM_BYTES])
def test_a_large_message_goes_all_the_way(
    size: int,
    testimony: Testimony,
    items: tuple[Item, ...],
    sized: Sized,
    wallets: tuple[Wallet, ...],
) -> None:
    """Messages around the size from which they are files, and up to the limit, are scheduled."""
    both = [items[0], Item.of(sized(size))]
    with Scheduler.open(testimony.root, wallets, deadline=60) as scheduler:
        scheduler.assign(both[0].encoded)
        assert scheduler.assign(both[1].encoded).slot == 1
    assert len(body_files(testimony.root)) == (size >= MILLION)
    recover(testimony, wallets, both)


@pytest.mark.guarantee("S10")
def test_a_message_beyond_the_limit_is_refused(
    testimony: Testimony, items: tuple[Item, ...], sized: Sized, wallets: tuple[Wallet, ...]
) -> None:
    """One byte more than the limit is too large, and leaves nothing behind."""
    with Scheduler.open(testimony.root, wallets, deadline=60) as scheduler:
        scheduler.assign(items[0].encoded)
        ticket = scheduler.schedule(sized(MAX_ITEM_BYTES + 1))
        assert isinstance(ticket.assigned.error, TooLarge)
        assert scheduler.slot(items[0].id) == 0
    assert body_files(testimony.root) == []
    recover(testimony, wallets, items[:1])


@pytest.mark.guarantee("S1", "S4", "S6", "S13", "L3")
@pytest.mark.parametrize(
    ("point", "pinned"),
    [
        (Point.SLOT_GIVEN, False),
        (Point.BEFORE_PIN_COMMIT, False),
        (Point.AFTER_PIN_COMMIT, True),
    ],
)
def test_killed_between_a_large_message_and_its_slot(
    point: Point,
    pinned: bool,
    testimony: Testimony,
    items: tuple[Item, ...],
    sized: Sized,
    wallets: tuple[Wallet, ...],
    wallet_files: tuple[Path, ...],
) -> None:
    """A file that no slot names is removed when the store is opened; one that is named stays."""
    both = (items[0], Item.of(sized(3 * MILLION), SchedulingMode.REMOTE_CONFIRMATION))
    job = Job(testimony.root, wallet_files, both, in_flight=1, point=point, call=2)
    with Program(job, testimony.root.parent) as program:
        assert program.listen_to_its_end() == -signal.SIGKILL
    testimony.hear(program.records)
    (file,) = body_files(testimony.root)
    with Scheduler.open(testimony.root, wallets, deadline=60) as scheduler:
        assert file.exists() == pinned
        if not pinned:
            assert scheduler.slot(items[0].id) == 0
    recover(testimony, wallets, both)
    assert body_files(testimony.root) == [file]


@pytest.mark.guarantee("S10")
def test_strangers_cannot_fill_the_disk(
    root: Path, sized: Sized, wallets: tuple[Wallet, ...]
) -> None:
    """A large message for a process that is not scheduled here is refused and not written."""
    with Scheduler.open(root, wallets, deadline=60) as scheduler, pytest.raises(NotFound):
        scheduler.assign(sized(MILLION))
    assert body_files(root) == []


def body_files(root: Path) -> list[Path]:
    return sorted(root.glob("shard-*/bodies/*/*"))
