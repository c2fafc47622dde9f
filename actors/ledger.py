"""The order in which slots become durable and are released, decided by one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from actors.flight import Flight
from actors.observer import NOBODY, Observer
from actors.stages import Stage
from actors.ticket import Ticket
from actors.waiters import Waiters
from protocol.assignment import Assignment
from protocol.commitment import Commitment
from protocol.ids import Id
from storage.journal import Batch, Receipt

KEEP_SIGNING = 8
"""Slots that are left unsigned when the others are written: what two cores sign in the time that
a commit and the next requests take."""


@dataclass(slots=True)
class Lane:
    """The flights of one process that are given and not stored.

    Attributes:
        next: lowest slot whose signature has not been taken up.
        early: signed slots that wait for an earlier one.
        under_way: how many slots are not stored yet.
    """

    next: int
    early: dict[int, Flight] = field(default_factory=dict)
    under_way: int = 0


@dataclass(frozen=True, slots=True)
class Cut:
    """What is written next, together."""

    pins: Sequence[Flight]
    signed: Sequence[Flight]
    receipts: Sequence[Receipt]

    @property
    def batch(self) -> Batch:
        """The same, in the store's terms."""
        return Batch(
            [flight.pin for flight in self.pins if flight.pin],
            [flight.assignment for flight in self.signed],
            self.receipts,
        )


class Ledger:
    """Collect pins, signatures and receipts; cut batches; release stages in slot order.

    Under a serial chain rule ASSIGNED is released with STORED: the next link is made of this
    signature, and a crash before it is stored would make another one.

    A slot's signature is taken up only after those of all earlier slots of its process, and
    its pin reaches the ledger before its signature does. So a cut never holds a commitment
    whose pin is neither durable nor in the same cut.

    Attributes:
        under_way: how many slots are given and not stored, over all processes.
    """

    def __init__(
        self,
        stored: Callable[[Sequence[Flight]], None],
        max_awaiting: int,
        observer: Observer = NOBODY,
    ) -> None:
        """Start empty.

        Args:
            stored: called with the flights whose commitments became durable together.
            max_awaiting: tickets that may wait for receipts at once.
            observer: told of the stages that are released.
        """
        self._stored = stored
        self._observer = observer
        self.under_way = 0
        self._lanes: dict[Id, Lane] = {}
        self._pins: list[Flight] = []
        self._signed: list[Flight] = []
        self._receipts: list[Receipt] = []
        self._waiters = Waiters(max_awaiting)

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be written."""
        return not (self._pins or self._signed or self._receipts)

    def worthwhile(self, enough: int) -> bool:
        """Tell whether to write now: most of what is under way is signed, or `enough` wait.

        At least half, and all but a few that keep the signers busy meanwhile.
        """
        waiting = len(self._pins) + len(self._signed) + len(self._receipts)
        unsigned = self.under_way - len(self._signed)
        return unsigned <= min(KEEP_SIGNING, self.under_way // 2) or waiting >= enough

    def pin(self, flight: Flight) -> None:
        """Take a slot that has just been given, or one that recovery found pinned."""
        lane = self._lanes.setdefault(flight.process, Lane(flight.slot))
        lane.under_way += 1
        self.under_way += 1
        if flight.pin is not None:
            self._pins.append(flight)

    def sign(self, flight: Flight, commitments: Sequence[Commitment]) -> None:
        """Take the signatures of a slot; release ASSIGNED to all that are now in order."""
        lane = self._lanes[flight.process]
        flight.assignment = flight.assignment.signed(commitments)
        lane.early[flight.slot] = flight
        while lane.next in lane.early:
            ready = lane.early.pop(lane.next)
            lane.next += 1
            self._signed.append(ready)
            if ready.pin is None and not ready.serial:
                self._release(ready, Stage.ASSIGNED)

    def receipts(self, receipts: Iterable[Receipt]) -> None:
        """Take what the bundler acknowledged, in slot order per process."""
        self._receipts += receipts

    def await_receipt(self, assignment: Assignment, ticket: Ticket) -> None:
        """Release PUBLISHED to `ticket` when the stored slot's receipt is durable."""
        self._waiters.join(assignment, ticket)

    def cut(self) -> Cut:
        """Take everything that waits, to be written together."""
        cut = Cut(self._pins, self._signed, self._receipts)
        self._pins, self._signed, self._receipts = [], [], []
        return cut

    def settle(self, cut: Cut) -> None:
        """Release what a durable cut promises.

        ASSIGNED of a slot whose signature came before its pin was durable is part of
        STORED here: its commitment was in the same cut.
        """
        for flight in cut.pins:
            flight.pin = None
        for flight in cut.signed:
            self._release(flight, Stage.STORED)
            self._land(flight)
        if cut.signed:
            self._stored(cut.signed)
        for receipt in cut.receipts:
            self._waiters.publish(receipt.process, receipt.slot)
        self._waiters.look()

    def _release(self, flight: Flight, stage: Stage) -> None:
        seconds = time.monotonic() - flight.born
        if flight.stage < Stage.ASSIGNED:
            self._observer.reached(Stage.ASSIGNED, seconds)
        if stage is Stage.STORED:
            self._observer.reached(stage, seconds)
        flight.reach(stage)

    def _land(self, flight: Flight) -> None:
        lane = self._lanes[flight.process]
        lane.under_way -= 1
        self.under_way -= 1
        if not lane.under_way:
            del self._lanes[flight.process]
        self._waiters.land(flight)
