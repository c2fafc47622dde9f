from __future__ import annotations

import time

import pytest

from actors.deadlines import DeadlineTimer
from actors.stages import Stage
from actors.ticket import Ticket
from protocol.errors import Closed, DeadlineExpired, OutcomeUnknown
from tests.actors.cheap import assignment

PATIENCE = 10.0


@pytest.fixture
def timer():
    timer = DeadlineTimer()
    timer.start()
    yield timer
    timer.stop()


@pytest.mark.guarantee("L1")
def test_a_request_ends_by_its_deadline(timer) -> None:
    """Nobody has to do anything for a request to end in time."""
    ticket = ticket_for(0.01)
    timer.watch(ticket)
    with pytest.raises(DeadlineExpired):
        ticket.published.get(timeout=PATIENCE)
    assert time.monotonic() >= ticket.deadline


@pytest.mark.guarantee("L1")
def test_a_claimed_request_ends_too(timer) -> None:
    """A request that its process took up ends as unknown."""
    ticket = ticket_for(0.01)
    ticket.claim()
    timer.watch(ticket)
    with pytest.raises(OutcomeUnknown):
        ticket.assigned.get(timeout=PATIENCE)


def test_nobody_expires_before_the_deadline(timer) -> None:
    """While an earlier request expires, a later one stays open."""
    first, second = ticket_for(0.01), ticket_for(3600)
    timer.watch(first)
    timer.watch(second)
    with pytest.raises(DeadlineExpired):
        first.assigned.get(timeout=PATIENCE)
    assert not second.assigned.done


def test_an_open_request_does_not_hide_those_behind_it(timer) -> None:
    """Requests that are answered do not stand in the way of the deadlines behind them."""
    done, late = ticket_for(3600), ticket_for(0.01)
    done.reach(Stage.PUBLISHED, assignment())
    timer.watch(done)
    timer.watch(late)
    with pytest.raises(DeadlineExpired):
        late.assigned.get(timeout=PATIENCE)
    assert done.assigned.error is None


@pytest.mark.guarantee("L1")
def test_tickets_that_others_made_end_in_any_order(timer) -> None:
    """A ticket with a deadline of its own stands in nobody's way, and nobody in its."""
    open_end, short = ticket_for(3600), ticket_for(0.01)
    timer.watch(ticket_for(3600))
    timer.watch_foreign(open_end)
    timer.watch_foreign(short)
    with pytest.raises(DeadlineExpired):
        short.assigned.get(timeout=PATIENCE)
    assert not open_end.done


@pytest.mark.guarantee("L1")
def test_stopping_ends_every_request() -> None:
    """At the end of the scheduler no caller is left waiting."""
    timer = DeadlineTimer()
    timer.start()
    queued, claimed, foreign = (ticket_for(3600) for _ in range(3))
    claimed.claim()
    timer.watch(queued)
    timer.watch(claimed)
    timer.watch_foreign(foreign)
    timer.stop()
    assert type(foreign.assigned.error) is Closed
    assert type(queued.assigned.error) is Closed
    assert type(claimed.assigned.error) is OutcomeUnknown


def test_stopping_twice_is_harmless() -> None:
    """A timer may be stopped before it started, and again."""
    timer = DeadlineTimer()
    timer.stop()
    timer.stop()


def test_answered_requests_are_forgotten_behind_an_open_one(timer) -> None:
    """One request that waits long does not keep the answered ones behind it in memory."""
    waiting, done = ticket_for(3600), ticket_for(3600)
    done.reach(Stage.PUBLISHED, assignment())
    swept = ticket_for(3600)
    timer.watch(waiting)
    timer.watch(done)
    timer._sweep()
    timer.watch(swept)
    assert list(timer._tickets) == [waiting, swept]


def ticket_for(seconds: float) -> Ticket:
    return Ticket(time.monotonic() + seconds)
