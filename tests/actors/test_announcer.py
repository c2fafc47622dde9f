"""Following a process: whoever subscribed hears of stored slots, and holds up nobody."""

from __future__ import annotations

from queue import SimpleQueue

import pytest

from actors.announcer import Announcer
from protocol.errors import SchedulingDisabled
from protocol.ids import digest_id
from protocol.message import verify
from tests.actors.outside import PATIENCE, Gate
from tests.items import message_item, process_item

PROCESS, OTHER = digest_id(b"process"), digest_id(b"other")


@pytest.fixture
def announcer():
    announcer = Announcer()
    announcer.start()
    yield announcer
    announcer.stop()
    announcer._thread.join(PATIENCE)


@pytest.fixture
def heard():
    return SimpleQueue()


def test_a_follower_hears_of_stored_slots(opened, wallet, user_wallet, heard) -> None:
    """Each call names a slot that can be read by then."""
    scheduler = opened()
    spawn = process_item(user_wallet, wallet.address)
    process = verify(spawn).process
    scheduler.subscribe(process, heard.put)
    scheduler.assign(spawn)
    assert heard.get(timeout=PATIENCE) == 0
    scheduler.assign(message_item(user_wallet, process))
    assert scheduler.assignment(process, heard.get(timeout=PATIENCE)).slot == 1


def test_other_processes_are_not_told(announcer, heard) -> None:
    """Only what happens to the process that is followed."""
    announcer.follow(PROCESS, heard.put)
    announcer.stored(OTHER, 7)
    announcer.stored(PROCESS, 1)
    assert heard.get(timeout=PATIENCE) == 1
    assert heard.empty()


def test_who_has_left_hears_nothing(announcer, heard) -> None:
    """A subscription ends when its owner says so; those of others go on."""
    leave = announcer.follow(PROCESS, lambda _: heard.put("gone"))
    announcer.follow(PROCESS, heard.put)
    assert announcer.followers == 2
    leave()
    leave()
    announcer.stored(PROCESS, 3)
    assert heard.get(timeout=PATIENCE) == 3
    assert heard.empty()
    assert announcer.followers == 1


@pytest.mark.guarantee("L2")
def test_a_slow_follower_holds_up_nobody(announcer, heard) -> None:
    """What is stored while it is busy becomes one call with the last slot."""
    gate = Gate()

    def slowly(slot: int) -> None:
        gate.pass_through()
        heard.put(slot)

    announcer.follow(PROCESS, slowly)
    announcer.stored(PROCESS, 0)
    gate.wait_for_arrival()
    for slot in range(1, 1000):
        announcer.stored(PROCESS, slot)
    assert len(announcer._news) == 1
    gate.open()
    assert [heard.get(timeout=PATIENCE) for _ in range(2)] == [0, 999]


def test_a_follower_that_fails_is_dropped(announcer, heard, warned) -> None:
    """It is logged and hears nothing more, and the others are told all the same."""

    def fail(_: int) -> None:
        raise RuntimeError("a follower's own mistake")

    announcer.follow(PROCESS, fail)
    announcer.follow(PROCESS, heard.put)
    announcer.stored(PROCESS, 0)
    assert heard.get(timeout=PATIENCE) == 0
    announcer.stored(PROCESS, 1)
    assert heard.get(timeout=PATIENCE) == 1
    assert announcer.followers == 1
    assert warned().count("follower_broken") == 1


def test_a_reader_follows_nobody(opened, wallet, user_wallet, heard) -> None:
    """A scheduler that only reads hears nothing of what another program stores, and says so."""
    writer = opened()
    process = writer.assign(process_item(user_wallet, wallet.address)).process
    writer.close()
    with pytest.raises(SchedulingDisabled):
        opened(mode="disabled").subscribe(process, heard.put)
