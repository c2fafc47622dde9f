from __future__ import annotations

import subprocess
import sys
import threading
from functools import partial

import pytest

from actors.blocks import OfflineBlockClock
from actors.probe import Point
from actors.settings import Settings
from protocol.errors import (
    Closed,
    DeadlineExpired,
    OutcomeUnknown,
    Overloaded,
    PublicationPending,
)
from protocol.message import verify
from storage import open_readers
from tests.actors.outside import (
    PATIENCE,
    BrokenSigner,
    Bundler,
    Gate,
    GatedSigner,
    WrongSigner,
    fail_at,
    gate_at,
    leave_pinned,
)
from tests.auditor import audit
from tests.items import message_item, process_item

LATE = 0.05
"""Seconds of a deadline that is meant to pass."""

TAKEN_UP = 1.0
"""Likewise, once the message was taken up: a busy machine takes a while for that."""


@pytest.fixture
def spawn(user_wallet, wallet):
    return process_item(user_wallet, wallet.address)


@pytest.fixture
def process(opened, spawn):
    """A process whose own message is stored; the store is closed again."""
    with opened() as scheduler:
        return scheduler.assign(spawn).process


@pytest.fixture
def items(user_wallet, process):
    return [message_item(user_wallet, process, number) for number in range(4)]


@pytest.mark.guarantee("L2")
@pytest.mark.parametrize("count_limit", [True, False])
def test_past_the_bound_the_answer_is_overloaded(opened, gate, items, count_limit) -> None:
    """A full queue refuses with a time to try again; what is in it is not disturbed."""
    settings = Settings(max_queued=2) if count_limit else Settings(max_queued_bytes=3000)
    scheduler = opened(probe=gate_at(Point.SLOT_GIVEN, gate), settings=settings)
    taken = [scheduler.schedule(item) for item in items[:2]]
    refused = scheduler.schedule(items[2])
    for future in (refused.assigned, refused.stored, refused.published):
        with pytest.raises(Overloaded) as caught:
            future.get(timeout=PATIENCE)
        assert caught.value.retry_after > 0
    gate.open()
    assert [ticket.stored.get(timeout=PATIENCE).slot for ticket in taken] == [1, 2]
    assert scheduler.assign(items[2]).slot == 3


@pytest.mark.guarantee("L1")
def test_a_request_nobody_took_up_in_time_is_never_assigned(opened, gate, items, process) -> None:
    """Past its deadline a queued message is refused for good, even when its turn comes."""
    scheduler = opened(probe=gate_at(Point.SLOT_GIVEN, gate), deadline=LATE)
    scheduler.schedule(items[0])
    gate.wait_for_arrival()
    late = scheduler.schedule(items[1])
    with pytest.raises(DeadlineExpired):
        late.published.get(timeout=PATIENCE)
    gate.open()
    scheduler.close()
    assert opened().slot(process) == 1


@pytest.mark.guarantee("L1")
def test_a_claimed_request_that_is_late_is_unknown(opened, gate, items) -> None:
    """Past its deadline a message under way may have its slot; asking again finds it."""
    scheduler = opened(signer=GatedSigner(gate), deadline=TAKEN_UP)
    late = scheduler.schedule(items[0])
    for future in (late.assigned, late.stored, late.published):
        with pytest.raises(OutcomeUnknown):
            future.get(timeout=PATIENCE)
    gate.open()
    scheduler.close()
    assert opened().assign(items[0]).slot == 1


@pytest.mark.guarantee("L1")
def test_a_late_publication_is_pending(opened, gate, spawn) -> None:
    """Past its deadline the slot stands and its publication goes on."""
    bundler = Bundler(gate)
    scheduler = opened(uploader=bundler)
    ticket = scheduler.schedule(spawn)
    assert ticket.stored.get(timeout=PATIENCE).slot == 0
    ticket.expire()
    assert isinstance(ticket.published.error, PublicationPending)
    scheduler.close()
    gate.open()
    assert opened(uploader=bundler).schedule(spawn).published.get(timeout=PATIENCE).slot == 0


def test_assign_raises_what_the_request_ended_with(opened, gate, items) -> None:
    """The waiting call ends by the deadline like the futures do."""
    scheduler = opened(signer=GatedSigner(gate), deadline=TAKEN_UP)
    with pytest.raises(OutcomeUnknown):
        scheduler.assign(items[0])


@pytest.mark.guarantee("L1")
def test_closing_finishes_what_is_under_way(opened, items, root) -> None:
    """Every message that was accepted gets its slot before the store is given up."""
    scheduler = opened()
    tickets = [scheduler.schedule(item) for item in items]
    scheduler.close()
    assert [ticket.stored.get(timeout=0).slot for ticket in tickets] == [1, 2, 3, 4]
    assert all(ticket.done for ticket in tickets)
    with open_readers(root) as reader:
        audit(reader)


@pytest.mark.embedded
def test_whoever_closes_returns_when_the_store_is_free(opened, gate, items) -> None:
    """A second caller of `close` waits for the first one to finish."""
    scheduler = opened(signer=GatedSigner(gate))
    ticket = scheduler.schedule(items[0])
    gate.wait_for_arrival()
    closing = threading.Thread(target=scheduler.close)
    closing.start()
    assert scheduler._scheduling._closed.wait(PATIENCE)
    gate.open()
    scheduler.close()
    assert opened().assign(items[0]) == ticket.stored.get(timeout=0)
    closing.join(PATIENCE)


def test_after_closing_only_closed_is_raised(opened, items) -> None:
    """Scheduling and reading say that the scheduler is closed; closing again is harmless."""
    scheduler = opened()
    process = scheduler.processes()[0]
    scheduler.close()
    scheduler.close()
    for act in (
        partial(scheduler.schedule, items[0]),
        partial(scheduler.schedule, b"no item"),
        partial(scheduler.assign, items[0]),
        partial(scheduler.slot, process),
        partial(scheduler.page, process),
        scheduler.processes,
    ):
        with pytest.raises(Closed):
            act()


IN_A_CHILD = """
import os, sys
from pathlib import Path
from actors import Scheduler
from protocol.errors import Closed
from protocol.wallet import Wallet
root, wallet, item = sys.argv[1], Wallet.load(sys.argv[2]), Path(sys.argv[3]).read_bytes()
with Scheduler.open(root, wallet) as scheduler:
    if os.fork() == 0:
        try:
            scheduler.schedule(item)
        except Closed:
            scheduler.close()
            os._exit(7)
        os._exit(1)
    print(os.waitstatus_to_exitcode(os.wait()[1]), scheduler.assign(item).slot)
"""


@pytest.mark.embedded
@pytest.mark.guarantee("L1")
def test_a_forked_child_is_told_that_it_is_closed(tmp_path, root, wallet, spawn) -> None:
    """A child has none of the threads that would answer; its parent is not disturbed."""
    wallet.save(tmp_path / "wallet.json")
    (tmp_path / "item").write_bytes(spawn)
    program = [sys.executable, "-c", IN_A_CHILD, root, tmp_path / "wallet.json", tmp_path / "item"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.split() == ["7", "0"]


class BrokenBlockClock(OfflineBlockClock):
    """Fail when the scheduler opens, or when it closes."""

    def __init__(self, *, at_start: bool) -> None:
        self._at_start = at_start

    def start(self) -> None:
        if self._at_start:
            raise RuntimeError("no block clock")

    def stop(self) -> None:
        raise RuntimeError("no block clock")


@pytest.mark.embedded
@pytest.mark.parametrize("at_start", [True, False])
def test_the_store_is_given_up_whatever_fails(opened, items, at_start) -> None:
    """When something from outside fails at opening or closing, the store can be opened again."""
    with pytest.raises(RuntimeError, match="no block clock"):
        opened(block_clock=BrokenBlockClock(at_start=at_start)).close()
    assert opened().assign(items[0]).slot == 1


@pytest.mark.embedded
def test_closing_ends_every_thread(opened, items) -> None:
    """A closed scheduler leaves nothing running."""
    before = set(threading.enumerate())
    scheduler = opened()
    scheduler.assign(items[0])
    ours = set(threading.enumerate()) - before
    assert ours
    scheduler.close()
    for thread in ours:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in ours)


@pytest.mark.guarantee("L1")
def test_closing_while_many_schedule_raises_nothing_but_closed(opened, items) -> None:
    """Whoever comes while the scheduler closes gets `Closed`, or a ticket that ends."""
    scheduler = opened()
    verified = [verify(item) for item in items]
    started, tickets, raised = threading.Barrier(5), [], []

    def send() -> None:
        started.wait(PATIENCE)
        try:
            while True:
                tickets.extend(scheduler.schedule(each) for each in verified)
        except BaseException as exc:
            raised.append(type(exc))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    started.wait(PATIENCE)
    scheduler.close()
    for thread in threads:
        thread.join(PATIENCE)
    assert raised == [Closed] * 4
    for ticket in tickets:
        error = ticket.assigned.error
        assert ticket.done
        assert error is None or isinstance(error, Closed | OutcomeUnknown | Overloaded)


@pytest.mark.embedded
def test_a_message_that_comes_between_the_last_steps_of_closing_is_refused(opened, items) -> None:
    """Once the registry has ended a message finds nobody, and its ticket says so."""
    scheduler = opened()
    scheduler.registry.actor_ref.stop()
    assert isinstance(scheduler.schedule(items[0]).published.error, Closed)
    assert scheduler.status().queued == 0


@pytest.mark.embedded
@pytest.mark.guarantee("S1")
@pytest.mark.parametrize("point", [point for point in Point if "commit" in point.value])
def test_a_commit_whose_outcome_is_unknown_fences(opened, root, spawn, point) -> None:
    """A failure around a commit ends every request as unknown; reopening tells the truth."""
    scheduler = opened(probe=fail_at(point))
    ticket = scheduler.schedule(spawn)
    with pytest.raises((OutcomeUnknown, PublicationPending)):
        ticket.published.get(timeout=PATIENCE)
    scheduler.close()
    exposed = [each.get() for each in (ticket.assigned, ticket.stored) if each.error is None]
    with opened() as reopened:
        found = reopened.assign(spawn)
        assert all(found.signed(()) == each.signed(()) for each in exposed)
    with open_readers(root) as reader:
        audit(reader, unique=True)


@pytest.mark.embedded
def test_after_a_fence_everything_says_so(opened, spawn, items) -> None:
    """New messages are refused, and the status tells why, even once the store is given up."""
    scheduler = opened(probe=fail_at(Point.BEFORE_PIN_COMMIT))
    ticket = scheduler.schedule(items[0])
    with pytest.raises(OutcomeUnknown):
        ticket.assigned.get(timeout=PATIENCE)
    with pytest.raises(Closed, match="fenced"):
        scheduler.schedule(spawn)
    scheduler.close()
    assert "told to fail" in scheduler.status().fenced
    assert opened().assign(items[0]).slot == 1


@pytest.mark.embedded
@pytest.mark.guarantee("L3")
def test_a_signer_that_fails_fences_and_the_slot_is_signed_later(opened, items) -> None:
    """A key that is away ends requests as unknown; once it is back the slot is signed."""
    pinned = Gate()
    scheduler = opened(signer=BrokenSigner(), probe=gate_at(Point.AFTER_PIN_COMMIT, pinned))
    pinned.open()
    with pytest.raises(OutcomeUnknown):
        scheduler.schedule(items[0]).assigned.get(timeout=PATIENCE)
    scheduler.close()
    assert opened().assign(items[0]).slot == 1


@pytest.mark.embedded
@pytest.mark.guarantee("S1")
@pytest.mark.parametrize("signature", [bytes(512), b"short", None])
def test_a_signature_that_is_wrong_fences(opened, items, root, process, signature) -> None:
    """Nothing of it is stored or shown, and the slot is signed rightly later."""
    scheduler = opened(signer=WrongSigner(signature))
    with pytest.raises(OutcomeUnknown):
        scheduler.schedule(items[0]).assigned.get(timeout=PATIENCE)
    scheduler.close()
    assert "does not verify" in str(scheduler._scheduling.fence)
    with open_readers(root) as reader:
        assert reader.head(process).stored == 0
    assert opened().assign(items[0]).slot == 1


@pytest.mark.embedded
@pytest.mark.guarantee("L3")
def test_what_was_left_pinned_is_signed_and_published_unasked(opened, gate, items) -> None:
    """Opening finishes what the last run left, though nobody asks for it again."""
    leave_pinned(opened, gate, items[0])
    uploaded = Gate()
    bundler = Bundler()
    left = verify(items[0]).message_id
    bundler.refuse = lambda item: uploaded.open() if item.id == left else None
    scheduler = opened(uploader=bundler)
    uploaded.pass_through()
    assert scheduler.assign(items[0]).slot == 1


@pytest.mark.embedded
def test_a_failure_while_closing_ends_the_waiting(opened, gate, items) -> None:
    """A commit that fails during closing ends it at once, with its requests as unknown."""

    def probe(point: Point) -> None:
        if point is Point.BEFORE_PIN_COMMIT:
            gate.pass_through()
            raise RuntimeError("told to fail")

    scheduler = opened(probe=probe, settings=Settings(close_seconds=PATIENCE))
    ticket = scheduler.schedule(items[0])
    gate.wait_for_arrival()
    closing = threading.Thread(target=scheduler.close)
    closing.start()
    assert scheduler._scheduling._closed.wait(PATIENCE)
    gate.open()
    with pytest.raises(OutcomeUnknown):
        ticket.assigned.get(timeout=PATIENCE)
    closing.join(PATIENCE)
    assert "told to fail" in str(scheduler._scheduling.fence)
