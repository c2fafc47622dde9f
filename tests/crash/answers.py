"""How requests ended."""

from __future__ import annotations

from actors import Stage, Ticket
from protocol.assignment import Assignment
from protocol.errors import Closed, OutcomeUnknown, PublicationPending, SchedulerError

PATIENCE_SECONDS = 60.0

LEFT_OPEN = (OutcomeUnknown, PublicationPending, Closed)
"""What a request may end with when the scheduler stops under it. `Closed`: nobody took it up."""


def ending(ticket: Ticket, stage: Stage) -> Assignment | SchedulerError:
    """Wait for one stage; return the assignment, or the error it ended with."""
    try:
        return ticket.future(stage).get(timeout=PATIENCE_SECONDS)
    except SchedulerError as exc:
        return exc


def answers(ticket: Ticket) -> dict[Stage, Assignment]:
    """Wait for all stages; return those that were reached. The others must be left open."""
    reached = {}
    for stage in Stage:
        end = ending(ticket, stage)
        if isinstance(end, Assignment):
            reached[stage] = end
        else:
            assert isinstance(end, LEFT_OPEN), f"{stage.name} ended with {end!r}"
    return reached
