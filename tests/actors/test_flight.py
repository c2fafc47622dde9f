from __future__ import annotations

from math import inf

import pytest

from actors.flight import Flight
from actors.stages import Stage
from actors.ticket import Ticket
from protocol.errors import OutcomeUnknown
from tests.actors.cheap import assignment


@pytest.fixture
def flight():
    return Flight(assignment(3), (), None)


def test_everyone_who_joined_is_told(flight) -> None:
    """All tickets of a flight share its stages."""
    first, second = Ticket(inf), Ticket(inf)
    flight.join(first)
    flight.join(second)
    flight.reach(Stage.ASSIGNED)
    assert first.assigned.get(timeout=0) == second.assigned.get(timeout=0) == assignment(3)
    assert not first.stored.done


@pytest.mark.guarantee("S13")
@pytest.mark.parametrize("stage", Stage)
def test_who_joins_late_sees_what_was_reached(flight, stage) -> None:
    """A second sender of a message learns at once how far it got."""
    flight.reach(stage)
    late = Ticket(inf)
    flight.join(late)
    assert [late.future(other).done for other in Stage] == [other <= stage for other in Stage]


def test_who_joins_before_the_first_stage_waits(flight) -> None:
    """A slot that is only given is not told to anyone."""
    ticket = Ticket(inf)
    flight.join(ticket)
    assert not ticket.assigned.done


@pytest.mark.guarantee("L2")
def test_stored_requests_leave_the_queue(flight) -> None:
    """A request takes room until its slot is stored, not until it is published."""
    left = []
    ticket, late = Ticket(inf), Ticket(inf)
    ticket.on_leave(lambda: left.append("first"))
    late.on_leave(lambda: left.append("late"))
    flight.join(ticket)
    flight.reach(Stage.ASSIGNED)
    assert left == []
    flight.reach(Stage.STORED)
    flight.join(late)
    assert left == ["first", "late"]


def test_a_caller_is_kept_while_it_waits(flight) -> None:
    """Once a caller has all answers, the flight forgets it."""
    waited = [len(flight.waiting())]
    ticket = Ticket(inf)
    flight.join(ticket)
    flight.reach(Stage.STORED)
    waited.append(len(flight.waiting()))
    ticket.published.fail(OutcomeUnknown())
    waited.append(len(flight.waiting()))
    assert waited == [0, 1, 0]


def test_the_repr_shows_the_stage(flight) -> None:
    """A flight in a log says which slot it is and how far it got."""
    assert "slot=3 GIVEN" in repr(flight)
    flight.reach(Stage.STORED)
    assert "slot=3 STORED" in repr(flight)
