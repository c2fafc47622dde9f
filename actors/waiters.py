"""Who waits for publication: bounded, and forgotten once they have their outcome."""

from __future__ import annotations

from collections import deque

from actors.flight import Flight
from actors.stages import Stage
from actors.ticket import Ticket
from protocol.assignment import Assignment
from protocol.errors import PublicationPending
from protocol.ids import Id

LOOKS = 2
"""Tickets looked at for each one that comes: two, so that the looks overtake the arrivals."""


class Waiters:
    """Stored slots and the tickets that wait for their receipts.

    Tickets end at their deadlines too, and nobody says so here. So each one that comes pays
    for two looks at those that came before, in turn: what ended is forgotten after a time
    that the rate and the deadlines bound, whatever the order in which they end.
    """

    def __init__(self, limit: int) -> None:
        """Start empty, with room for `limit` tickets."""
        self._limit = limit
        self._flights: dict[tuple[Id, int], Flight] = {}
        # Every ticket of those flights; the one at the front is looked at next.
        self._turn: deque[tuple[Flight, Ticket]] = deque()

    def __len__(self) -> int:
        return len(self._turn)

    def land(self, flight: Flight) -> None:
        """Take over the tickets of a flight that was stored just now."""
        for ticket in flight.waiting():
            self._add(flight, ticket)

    def join(self, assignment: Assignment, ticket: Ticket) -> None:
        """Let `ticket` wait for the receipt of a slot that is stored already."""
        flight = self._flights.get((assignment.process, assignment.slot))
        if flight is None:
            flight = Flight(assignment, (), None)
            flight.stage = Stage.STORED
        flight.join(ticket)
        self._add(flight, ticket)

    def publish(self, process: Id, slot: int) -> None:
        """Release PUBLISHED to all who wait for this slot."""
        flight = self._flights.pop((process, slot), None)
        if flight is not None:
            flight.reach(Stage.PUBLISHED)

    def look(self) -> None:
        """Forget those who have their outcome, among the next in turn."""
        for _ in range(min(LOOKS, len(self._turn))):
            flight, ticket = self._turn.popleft()
            if flight.stage == Stage.PUBLISHED:
                continue
            if ticket.done:
                self._forget(flight, ticket)
            else:
                self._turn.append((flight, ticket))

    def _add(self, flight: Flight, ticket: Ticket) -> None:
        self.look()
        if len(self._turn) >= self._limit:
            ticket.published.fail(PublicationPending())
            flight.part(ticket)
            return
        self._flights[flight.process, flight.slot] = flight
        self._turn.append((flight, ticket))

    def _forget(self, flight: Flight, ticket: Ticket) -> None:
        key = flight.process, flight.slot
        if not flight.part(ticket) and self._flights.get(key) is flight:
            del self._flights[key]
