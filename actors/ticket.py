"""The ticket of one request: a future per stage and one atomic state."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import Enum

from actors.futures import StageFuture
from actors.stages import Stage
from protocol.assignment import Assignment
from protocol.errors import (
    Closed,
    DeadlineExpired,
    OutcomeUnknown,
    PublicationPending,
    SchedulerError,
)


class TicketState(Enum):
    """Who may still decide about the request."""

    QUEUED = "queued"
    """Nobody has looked at it: the deadline may still drop it."""

    CLAIMED = "claimed"
    """Its process took it up: it may get a slot, or has one."""

    EXPIRED = "expired"
    """The deadline, or the end of the scheduler, came first: it is never assigned."""


class Ticket:
    """What `Scheduler.schedule` answers with at once.

    Attributes:
        assigned: completes when the slot is pinned to the message (aggressive).
        stored: completes when the signed bytes are durable here (local confirmation).
        published: completes when the bundler acknowledged those bytes (remote confirmation).
        deadline: monotonic seconds; by then every future has an outcome.
        watched: whether a timer sees to that. A ticket of one's own is given to the timer by
            the first actor that it is told to.

    Each future completes with the `Assignment`, or fails with a `SchedulerError`.
    """

    __slots__ = (
        "_leave",
        "_lock",
        "_state",
        "assigned",
        "deadline",
        "published",
        "stored",
        "watched",
    )

    def __init__(self, deadline: float) -> None:
        self.assigned: StageFuture[Assignment] = StageFuture()
        self.stored: StageFuture[Assignment] = StageFuture()
        self.published: StageFuture[Assignment] = StageFuture()
        self.deadline = deadline
        self.watched = False
        self._leave: Callable[[], None] | None = None
        self._lock = threading.Lock()
        self._state = TicketState.QUEUED

    @property
    def state(self) -> TicketState:
        """Who may still decide about the request."""
        return self._state

    @property
    def done(self) -> bool:
        """Whether all three futures have an outcome."""
        return self.published.done and self.stored.done and self.assigned.done

    def future(self, stage: Stage) -> StageFuture[Assignment]:
        """The future of one stage."""
        return (self.assigned, self.stored, self.published)[stage - 1]

    def claim(self) -> bool:
        """Take the request up, on behalf of its process; False when the deadline was first."""
        if time.monotonic() >= self.deadline:
            # The timer may look a little later.
            self.expire()
        with self._lock:
            if self._state is not TicketState.QUEUED:
                return False
            self._state = TicketState.CLAIMED
            return True

    def reach(self, stage: Stage, assignment: Assignment) -> None:
        """Complete every stage up to `stage`."""
        self.assigned.complete(assignment)
        if stage >= Stage.STORED:
            self.stored.complete(assignment)
        if stage >= Stage.PUBLISHED:
            self.published.complete(assignment)

    def fail(self, error: SchedulerError) -> None:
        """Leave the queue, and end what is still pending with `error`."""
        # First: whoever is told looks at the queue and finds nothing of this request.
        self.leave()
        self.assigned.fail(error)
        self.stored.fail(error)
        self.published.fail(error)

    def expire(self) -> None:
        """Answer at the deadline: what is still pending ends now."""
        if self._drop():
            self.fail(DeadlineExpired())
        else:
            self._give_up()

    def abandon(self) -> None:
        """Answer at the end of the scheduler: what is still pending ends now."""
        if self._drop():
            self.fail(Closed())
        else:
            self._give_up()
            self.leave()

    def on_leave(self, leave: Callable[[], None]) -> None:
        """Set what gives back the room that this request takes in the queue."""
        self._leave = leave

    def leave(self) -> None:
        """Give back the room this request took in the queue; once."""
        if self._leave is None:
            return
        with self._lock:
            leave, self._leave = self._leave, None
        if leave is not None:
            leave()

    def _drop(self) -> bool:
        with self._lock:
            if self._state is TicketState.QUEUED:
                self._state = TicketState.EXPIRED
            return self._state is TicketState.EXPIRED

    def _give_up(self) -> None:
        # A claimed request may have its slot, so nobody can say that it failed.
        unknown = OutcomeUnknown()
        self.assigned.fail(unknown)
        self.stored.fail(unknown)
        pinned = self.assigned.error is None
        self.published.fail(PublicationPending() if pinned else unknown)

    def __repr__(self) -> str:
        reached = [name for name in ("assigned", "stored", "published") if _has_value(self, name)]
        return f"<Ticket {self._state.value} {' '.join(reached) or 'nothing yet'}>"


def _has_value(ticket: Ticket, name: str) -> bool:
    future: StageFuture[Assignment] = getattr(ticket, name)
    return future.done and future.error is None
