"""An assignment on its way through the stages, and the tickets that wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from actors.events import log
from actors.stages import Stage
from actors.ticket import Ticket
from protocol.assignment import Assignment
from protocol.chain import chain_rule
from protocol.commitment import ANS104
from protocol.ids import Id
from storage.journal import Body, Pin


class Flight:
    """One slot from the moment it is given until its receipt is stored.

    The ProcessActor makes it, a signer signs it, the committer moves it from stage to
    stage. Tickets may join from the actor's thread while the committer moves it: both
    happen under its lock, so a late ticket sees every stage reached so far.

    Attributes:
        assignment: unsigned at first; signed once the signers are done.
        signers: addresses that have to sign, in order.
        pin: what the store has yet to make durable; None once the slot is pinned.
        body: the message, if it came in this run; None once the slot is stored, so that a
            flight which waits for its receipt does not hold the message's bytes.
        device: commitment device they sign under.
        on_stored: called once when the slot is stored, after its tickets; set before the
            flight leaves its actor, or never.
        stage: highest stage reached, 0 before ASSIGNED.
        born: monotonic seconds at which the slot was given.
    """

    __slots__ = (
        "_lock",
        "_tickets",
        "assignment",
        "body",
        "born",
        "device",
        "on_stored",
        "pin",
        "signers",
        "stage",
    )

    def __init__(
        self,
        assignment: Assignment,
        signers: tuple[Id, ...],
        pin: Pin | None,
        device: str = ANS104,
    ) -> None:
        self.assignment = assignment
        self.signers = signers
        self.pin = pin
        self.body: Body | None = pin.body if pin else None
        self.device = device
        self.on_stored: Callable[[], None] | None = None
        self.stage = 0
        self.born = time.monotonic()
        self._lock = threading.Lock()
        # In the order in which they came; the values mean nothing.
        self._tickets: dict[Ticket, None] = {}

    @property
    def process(self) -> Id:
        """The process whose slot this is."""
        return self.assignment.process

    @property
    def slot(self) -> int:
        """The slot given."""
        return self.assignment.slot

    @property
    def serial(self) -> bool:
        """Whether the next slot needs this one's signature; it is shown to nobody unstored."""
        return chain_rule(self.assignment.chain).serial

    def waiting(self) -> tuple[Ticket, ...]:
        """Return the tickets that still wait for a stage, and forget the others."""
        with self._lock:
            self._tickets = {ticket: None for ticket in self._tickets if not ticket.done}
            return tuple(self._tickets)

    def join(self, ticket: Ticket) -> None:
        """Let one more ticket share this flight's outcome."""
        with self._lock:
            self._tickets[ticket] = None
            stage = self.stage
        if stage:
            self._tell(ticket, Stage(stage))

    def part(self, ticket: Ticket) -> int:
        """Forget a ticket; return how many are left."""
        with self._lock:
            self._tickets.pop(ticket, None)
            return len(self._tickets)

    def reach(self, stage: Stage) -> None:
        """Release `stage` to everyone who waits. Called in slot order."""
        if log.informs:
            self._report(stage)
        with self._lock:
            self.stage = stage
            tickets = tuple(self._tickets)
        for ticket in tickets:
            self._tell(ticket, stage)
        if stage is Stage.STORED and self.on_stored is not None:
            self.on_stored()

    def _tell(self, ticket: Ticket, stage: Stage) -> None:
        ticket.reach(stage, self.assignment)
        if stage >= Stage.STORED:
            ticket.leave()

    def _report(self, stage: Stage) -> None:
        # Receipts are told by the committer: not every published slot is still in flight.
        for reached in Stage:
            if self.stage < reached <= min(stage, Stage.STORED):
                self.report(reached.name.lower())

    def report(self, step: str) -> None:
        """Tell as an event that a step is done."""
        duration_ms = round((time.monotonic() - self.born) * 1000, 3)
        log.slot(step, self.assignment, stage=step, duration_ms=duration_ms)

    def __repr__(self) -> str:
        stage = Stage(self.stage).name if self.stage else "GIVEN"
        return f"<Flight {str(self.process)[:6]} slot={self.slot} {stage}>"
