from __future__ import annotations

import time
from math import inf
from types import NoneType

import pytest

from actors.stages import SchedulingMode, Stage
from actors.ticket import Ticket, TicketState
from protocol.errors import (
    Closed,
    DeadlineExpired,
    NotFound,
    OutcomeUnknown,
    PublicationPending,
)
from tests.actors.cheap import assignment

FIRST = assignment(0)
STAGES = tuple(Stage)


@pytest.fixture
def ticket():
    return Ticket(inf)


def test_a_new_ticket_is_queued(ticket) -> None:
    """Nobody has decided about the request yet, and no future has an outcome."""
    assert ticket.state is TicketState.QUEUED
    assert errors(ticket) == [None, None, None]
    assert not ticket.done


def test_a_claimed_ticket_cannot_be_claimed_again(ticket) -> None:
    """One process takes the request up, once."""
    assert ticket.claim()
    assert ticket.state is TicketState.CLAIMED
    assert not ticket.claim()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_completes_the_stages_before_it(ticket, stage) -> None:
    """Each stage includes the ones before it, and none of those after it."""
    ticket.reach(stage, FIRST)
    reached = [other for other in STAGES if ticket.future(other).done]
    assert reached == [other for other in STAGES if other <= stage]
    assert ticket.future(stage).get(timeout=0) == FIRST


def test_stages_complete_once(ticket) -> None:
    """A stage that was told keeps what it was told."""
    ticket.reach(Stage.ASSIGNED, FIRST)
    ticket.reach(Stage.PUBLISHED, assignment(1))
    assert ticket.assigned.get(timeout=0) == FIRST
    assert ticket.stored.get(timeout=0) == assignment(1)


def test_done_means_all_three(ticket) -> None:
    """A ticket is done when every future has an outcome, whichever."""
    ticket.reach(Stage.STORED, FIRST)
    assert not ticket.done
    ticket.published.fail(PublicationPending())
    assert ticket.done


def test_a_failure_ends_what_is_pending(ticket) -> None:
    """Stages that were reached stand; the others end with the error."""
    ticket.reach(Stage.ASSIGNED, FIRST)
    error = NotFound()
    ticket.fail(error)
    assert errors(ticket) == [None, error, error]


@pytest.mark.guarantee("L1")
def test_a_queued_request_expires_for_good(ticket) -> None:
    """Past its deadline a request that nobody took up is refused and never assigned."""
    ticket.expire()
    assert ticket.state is TicketState.EXPIRED
    assert kinds(ticket) == [DeadlineExpired] * 3
    assert not ticket.claim()


@pytest.mark.guarantee("L1")
def test_a_request_is_not_claimed_after_its_deadline() -> None:
    """Whoever takes a request up too late drops it, though no timer has looked at it yet."""
    late = Ticket(time.monotonic())
    assert not late.claim()
    assert late.state is TicketState.EXPIRED
    assert kinds(late) == [DeadlineExpired] * 3


@pytest.mark.guarantee("L1")
def test_a_claimed_request_ends_unknown(ticket) -> None:
    """Past its deadline nobody can say whether a claimed request gets its slot."""
    ticket.claim()
    ticket.expire()
    assert ticket.state is TicketState.CLAIMED
    assert kinds(ticket) == [OutcomeUnknown] * 3


@pytest.mark.guarantee("L1")
def test_a_late_store_ends_unknown_and_pending(ticket) -> None:
    """Past its deadline a pinned slot stands; whether it is stored is unknown."""
    ticket.claim()
    ticket.reach(Stage.ASSIGNED, FIRST)
    ticket.expire()
    assert kinds(ticket) == [NoneType, OutcomeUnknown, PublicationPending]


@pytest.mark.guarantee("L1")
def test_a_late_publication_is_pending(ticket) -> None:
    """Past its deadline a stored slot stands; its publication goes on."""
    ticket.claim()
    ticket.reach(Stage.STORED, FIRST)
    ticket.expire()
    assert kinds(ticket) == [NoneType, NoneType, PublicationPending]


def test_a_finished_request_does_not_expire(ticket) -> None:
    """A deadline after the last stage changes nothing."""
    ticket.claim()
    ticket.reach(Stage.PUBLISHED, FIRST)
    ticket.expire()
    assert errors(ticket) == [None, None, None]


def test_what_comes_after_the_deadline_is_ignored(ticket) -> None:
    """The answer given at the deadline stays, even when the slot is reached later."""
    ticket.claim()
    ticket.expire()
    ticket.reach(Stage.PUBLISHED, FIRST)
    assert kinds(ticket) == [OutcomeUnknown] * 3


def test_closing_refuses_what_is_queued(ticket) -> None:
    """At the end of the scheduler a request that nobody took up is never assigned."""
    ticket.abandon()
    assert kinds(ticket) == [Closed] * 3
    assert not ticket.claim()


def test_closing_leaves_what_is_claimed_unknown(ticket) -> None:
    """At the end of the scheduler a claimed request may have its slot."""
    ticket.claim()
    ticket.abandon()
    assert kinds(ticket) == [OutcomeUnknown] * 3


@pytest.mark.parametrize("ending", ["fail", "abandon", "leave"])
@pytest.mark.guarantee("L2")
def test_the_room_in_the_queue_is_given_back_once(ticket, ending) -> None:
    """However often a request ends, it gives back the one place that it took."""
    left = []
    ticket.on_leave(lambda: left.append(1))
    ticket.claim()
    arguments = (NotFound(),) if ending == "fail" else ()
    getattr(ticket, ending)(*arguments)
    getattr(ticket, ending)(*arguments)
    ticket.leave()
    assert left == [1]


def test_a_claimed_request_keeps_its_room_past_the_deadline(ticket) -> None:
    """Its message is still on the way, so it still takes room."""
    left = []
    ticket.on_leave(lambda: left.append(1))
    ticket.claim()
    ticket.expire()
    assert left == []


def test_the_repr_shows_the_state(ticket) -> None:
    """A ticket in a log says how far it got."""
    assert repr(ticket) == "<Ticket queued nothing yet>"
    ticket.claim()
    ticket.reach(Stage.STORED, FIRST)
    assert repr(ticket) == "<Ticket claimed assigned stored>"


def test_the_mode_names_the_stage_to_wait_for() -> None:
    """A confirmation mode is a choice of stage, and reads its name as text."""
    chosen = {mode.value: mode.stage for mode in SchedulingMode}
    assert chosen == {
        "aggressive": Stage.ASSIGNED,
        "local_confirmation": Stage.STORED,
        "remote_confirmation": Stage.PUBLISHED,
        "disabled": Stage.STORED,
    }


def errors(ticket):
    return [ticket.future(stage).error for stage in STAGES]


def kinds(ticket):
    return [type(error) for error in errors(ticket)]
