from __future__ import annotations

import pytest

from actors.outbox import Outbox
from actors.publisher import _jitter
from actors.settings import PublishSettings
from protocol.ids import digest_id
from storage.journal import Receipt

ALICE, BOB, CAROL = (digest_id(name) for name in (b"alice", b"bob", b"carol"))
NOW = 1000.0


@pytest.fixture
def outbox():
    return outbox_with()


def test_slots_are_handed_out_in_order(outbox) -> None:
    """The oldest unpublished slots come first, each once, no more than asked for."""
    outbox.open(ALICE, 3, 6)
    assert outbox.take(NOW, 2) == [(ALICE, 3), (ALICE, 4)]
    assert outbox.take(NOW, 10) == [(ALICE, 5), (ALICE, 6)]
    assert outbox.take(NOW, 10) == []


def test_new_slots_join_the_lane(outbox) -> None:
    """What is stored later is handed out after what was there; old news changes nothing."""
    outbox.open(ALICE, 0, 0)
    outbox.extend(ALICE, 2)
    outbox.extend(ALICE, 1)
    assert outbox.take(NOW, 10) == [(ALICE, 0), (ALICE, 1), (ALICE, 2)]


@pytest.mark.guarantee("L3")
def test_a_long_process_does_not_starve_the_others(outbox) -> None:
    """Processes take turns, however much each has to publish."""
    outbox.open(ALICE, 0, 999)
    outbox.open(BOB, 0, 0)
    outbox.open(CAROL, 0, 1)
    assert {process for process, _ in outbox.take(NOW, 4)} == {ALICE}
    assert outbox.take(NOW, 4) == [(BOB, 0), (CAROL, 0), (CAROL, 1), (ALICE, 4)]


@pytest.mark.guarantee("S5")
def test_receipts_come_out_in_slot_order(outbox) -> None:
    """A receipt waits until every slot before it has one: the watermark has no holes."""
    outbox.open(ALICE, 0, 3)
    outbox.take(NOW, 4)
    assert outbox.acknowledged(receipt(ALICE, 2)) == []
    assert outbox.acknowledged(receipt(ALICE, 1)) == []
    assert slots(outbox.acknowledged(receipt(ALICE, 0))) == [0, 1, 2]
    assert slots(outbox.acknowledged(receipt(ALICE, 3))) == [3]


def test_a_finished_process_is_forgotten(outbox) -> None:
    """A process leaves memory when its last receipt is durable, not before."""
    outbox.open(ALICE, 0, 1)
    outbox.take(NOW, 2)
    outbox.acknowledged(receipt(ALICE, 0))
    outbox.acknowledged(receipt(ALICE, 1))
    outbox.settled(ALICE, 0)
    assert ALICE in outbox
    outbox.settled(ALICE, 1)
    assert ALICE not in outbox
    assert len(outbox) == 0


def test_a_process_with_news_stays(outbox) -> None:
    """A slot stored meanwhile keeps its process in memory."""
    outbox.open(ALICE, 0, 0)
    outbox.take(NOW, 1)
    outbox.acknowledged(receipt(ALICE, 0))
    outbox.extend(ALICE, 1)
    outbox.settled(ALICE, 0)
    assert outbox.take(NOW, 1) == [(ALICE, 1)]


def test_after_a_failure_nothing_goes_out_until_the_wait_is_over(outbox) -> None:
    """A failed slot is tried again alone, after its wait."""
    outbox.open(ALICE, 0, 9)
    outbox.take(NOW, 2)
    wait = fail(outbox, ALICE, 0)
    assert outbox.take(NOW + wait - 0.01, 10) == []
    assert outbox.take(NOW + wait, 10) == [(ALICE, 0)]
    assert outbox.take(NOW + wait, 10) == []


def test_nothing_passes_an_unpublished_slot(outbox) -> None:
    """No new slot is handed out while an earlier one is in trouble; then all go on."""
    outbox.open(ALICE, 0, 2)
    outbox.take(NOW, 1)
    wait = fail(outbox, ALICE, 0)
    outbox.take(NOW + wait, 1)
    assert outbox.take(NOW + 1000, 10) == []
    assert slots(outbox.acknowledged(receipt(ALICE, 0))) == [0]
    assert outbox.take(NOW + 1000, 10) == [(ALICE, 1), (ALICE, 2)]


@pytest.mark.guarantee("L3")
def test_trouble_of_one_process_does_not_hold_up_another(outbox) -> None:
    """While one process waits, the others are published."""
    outbox.open(ALICE, 0, 5)
    outbox.take(NOW, 1)
    fail(outbox, ALICE, 0, final=True)
    outbox.open(BOB, 0, 1)
    assert outbox.take(NOW, 10) == [(BOB, 0), (BOB, 1)]


def test_waits_double_up_to_the_limit(outbox) -> None:
    """The wait is 1 second, then twice the one before, and never over 300 seconds."""
    outbox.open(ALICE, 0, 0)
    now, waits = NOW, []
    for _ in range(11):
        assert outbox.take(now, 1) == [(ALICE, 0)]
        waits.append(fail(outbox, ALICE, 0, now=now))
        now += waits[-1]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_a_very_long_outage_ends(outbox) -> None:
    """However often an upload failed, the wait stays a number that can be waited."""
    outbox.open(ALICE, 0, 0)
    now = NOW
    for _ in range(2000):
        outbox.take(now, 1)
        now += fail(outbox, ALICE, 0, now=now)
    assert outbox.next_try() == now


def test_jitter_shortens_no_wait() -> None:
    """The first wait is a second or more, whatever chance says."""
    assert all(1.0 <= _jitter() <= 1.5 for _ in range(100))


def test_waits_are_spread_by_jitter() -> None:
    """Two schedulers that failed together do not come back together."""
    factors = iter([0.5, 1.5])
    outbox = outbox_with(jitter=lambda: next(factors))
    for process in (ALICE, BOB):
        outbox.open(process, 0, 0)
    outbox.take(NOW, 2)
    assert [fail(outbox, process, 0) for process in (ALICE, BOB)] == [0.5, 1.5]


def test_success_ends_the_doubling(outbox) -> None:
    """The next trouble of a process starts again with a short wait."""
    outbox.open(ALICE, 0, 1)
    outbox.take(NOW, 1)
    wait = fail(outbox, ALICE, 0)
    outbox.take(NOW + wait, 1)
    outbox.acknowledged(receipt(ALICE, 0))
    outbox.take(NOW + wait, 1)
    assert fail(outbox, ALICE, 1) == wait


@pytest.mark.guarantee("L3")
def test_a_refused_item_is_stuck_and_retried_slowly(outbox) -> None:
    """What the bundler refuses is reported with its slot, and tried every 300 seconds."""
    outbox.open(ALICE, 0, 3)
    outbox.take(NOW, 4)
    assert fail(outbox, ALICE, 1, final=True, reason="not today") == 300
    assert outbox.stuck() == {ALICE: (1, "not today")}
    assert outbox.take(NOW + 299, 10) == []
    assert outbox.take(NOW + 300, 10) == [(ALICE, 1)]
    outbox.acknowledged(receipt(ALICE, 1))
    assert outbox.stuck() == {}


def test_the_first_stuck_slot_is_reported(outbox) -> None:
    """Of several refused items the one that holds the others up is named."""
    outbox.open(ALICE, 0, 3)
    outbox.take(NOW, 4)
    for slot in (3, 1, 2):
        fail(outbox, ALICE, slot, final=True)
    assert outbox.stuck()[ALICE][0] == 1


def test_a_failure_that_may_pass_is_not_stuck(outbox) -> None:
    """Only what the bundler refuses for good asks for an operator."""
    outbox.open(ALICE, 0, 0)
    outbox.take(NOW, 1)
    fail(outbox, ALICE, 0)
    assert outbox.stuck() == {}


def test_the_next_try_is_that_of_whoever_waits_least(outbox) -> None:
    """The publisher sleeps until the first wait is over, and for ever if nobody waits."""
    assert outbox.next_try() is None
    for process in (ALICE, BOB):
        outbox.open(process, 0, 0)
    outbox.take(NOW, 2)
    assert outbox.next_try() is None
    fail(outbox, ALICE, 0, final=True)
    fail(outbox, BOB, 0)
    assert outbox.next_try() == NOW + 1
    outbox.take(NOW + 1, 10)
    assert outbox.next_try() == NOW + 300


@pytest.mark.guarantee("L2")
def test_memory_is_bounded() -> None:
    """Past its limit of processes the outbox says that it is full."""
    outbox = outbox_with(max_lanes=2)
    outbox.open(ALICE, 0, 10**9)
    assert not outbox.full
    outbox.open(BOB, 0, 10**9)
    assert outbox.full


@pytest.mark.guarantee("L2")
def test_what_waits_behind_a_failure_is_bounded(outbox) -> None:
    """Only what was under way when a slot failed is held in memory."""
    outbox.open(ALICE, 0, 10**6)
    handed = outbox.take(NOW, 64)
    fail(outbox, ALICE, 0, final=True)
    for _, slot in handed[1:]:
        assert outbox.acknowledged(receipt(ALICE, slot)) == []
    now = NOW
    for _ in range(10):
        now += 300
        assert outbox.take(now, 64) == [(ALICE, 0)]
        fail(outbox, ALICE, 0, now=now, final=True)
    assert len(outbox._lanes[ALICE].receipts) == 63


def outbox_with(*, jitter=lambda: 1.0, **settings) -> Outbox:
    return Outbox(PublishSettings(**settings), jitter)


def fail(outbox, process, slot, *, now=NOW, final=False, reason="away") -> float:
    return outbox.failed((process, slot), now, reason=reason, final=final)


def receipt(process, slot) -> Receipt:
    return Receipt(process, slot, 0, ())


def slots(receipts) -> list[int]:
    return [receipt.slot for receipt in receipts]
