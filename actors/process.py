"""The actor of one AO process: the only one that gives its slots."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import pykka

from actors.actor import SchedulerActor
from actors.committer import Committer
from actors.events import log
from actors.flight import Flight
from actors.messages import Busy, Info, Landed, Passivate, ProcessInfo, Retired, Submit
from actors.probe import Point, Probe
from actors.sequencer import Known, Sequencer, Surroundings
from actors.signing import SigningPool
from actors.stages import Stage
from actors.ticket import Ticket
from actors.turns import Turns
from protocol.errors import OutcomeUnknown, Refused
from protocol.ids import Id
from protocol.message import Verified
from storage.journal import Head


@dataclass(frozen=True, slots=True)
class Desk:
    """What a ProcessActor works with; shared by all of one shard.

    Attributes:
        around: what the sequencer decides by.
        committer: makes pins durable.
        signing: signs.
        keep: writes a large body on another thread, and then sends the message again.
        answer: answers a ticket from a slot that is stored already, on another thread.
        unfit: is told that a process cannot be scheduled, and why.
        watch: sees that a ticket which somebody else made ends.
        fenced: stops the shard, because its state is unknown.
        halted: tells whether the shard was stopped so.
        probe: looks at the points of a message's way.
    """

    around: Surroundings
    committer: Committer
    signing: SigningPool
    keep: Callable[[Submit], None]
    answer: Callable[[Ticket, Id, int], None]
    unfit: Callable[[Id, Refused], None]
    watch: Callable[[Ticket], None]
    fenced: Callable[[BaseException], None]
    halted: Callable[[], bool]
    probe: Probe


class ProcessActor(SchedulerActor):
    """Hold the current slot and chain of one AO process, and give its slots.

    It takes `Submit`, `Info`, `Passivate` and `Landed`. It never waits for disk, network or a
    signature: its reads are point look-ups in the store's index and messages, and under a
    serial chain rule of the slot before. There, what comes while a slot is not stored lines up.
    """

    def __init__(
        self, process: Id, head: Head | None, desk: Desk, registry: pykka.ActorRef[Any]
    ) -> None:
        super().__init__()
        self._desk = desk
        self._registry = registry
        # Owned by this actor's thread; nobody else reads or writes it.
        self._sequencer = Sequencer(process, head, desk.around)
        self._turns = Turns(self._sequencer)
        self._retired = False
        # Why nothing can be scheduled, found while starting; the askers are told.
        self._unfit: Refused | None = None
        self._current: Ticket | None = None

    def on_start(self) -> None:
        """Sign again what a crash left pinned and unsigned."""
        try:
            flights = self._sequencer.resume()
        except Refused as exc:
            self._unfit = exc
            self._desk.unfit(self._sequencer.process, exc)
            return
        for flight in flights:
            self._launch(flight)
        name = "new_schedule" if self._sequencer.slot < 0 else "continuing_schedule"
        log.step(name, process=self._sequencer.process, slot=self._sequencer.slot)

    def on_receive(self, message: Any) -> ProcessInfo | None:
        """Serve one message."""
        if isinstance(message, Submit):
            self._submit(message)
        elif isinstance(message, Info):
            return self._info()
        elif isinstance(message, Passivate):
            self._passivate()
        elif isinstance(message, Landed):
            self._next_turn()
        else:
            # Somebody's mistake must not end the process: Pykka warns and answers None.
            super().on_receive(message)
        return None

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Fence the shard if slots are in the air, else leave it to a fresh actor."""
        if self._current is not None:
            # Only now, when this actor counts as dead: asked again, a fresh one takes it up.
            self._current.fail(OutcomeUnknown())
        if not self._fence_if_outstanding(exception_value or RuntimeError("an actor died")):
            self._registry.tell(Retired(self._sequencer.process, self.actor_ref))
            while (waiting := self._turns.drop()) is not None:
                self._registry.tell(waiting)

    def _submit(self, submit: Submit) -> None:
        if self._retired:
            self._registry.tell(submit)
            return
        if not submit.ticket.watched:
            self._desk.watch(submit.ticket)
        if self._desk.halted():
            # What a fence dropped before this may be what this message builds on.
            submit.ticket.abandon()
            return
        self._take_up(submit)

    def _next_turn(self) -> None:
        while not self._desk.halted() and (submit := self._turns.take()) is not None:
            self._take_up(submit, waited=True)

    def _take_up(self, submit: Submit, *, waited: bool = False) -> None:
        message, ticket = submit.message, submit.ticket
        self._current = ticket
        try:
            if self._unfit is not None:
                raise self._unfit
            if self._must_be_kept(submit):
                self._desk.keep(submit)
            elif not waited and self._turns.must_wait(message):
                self._turns.add(submit)
            elif ticket.claim():
                self._schedule(message, ticket)
            else:
                ticket.leave()
        except Refused as exc:
            log.failed(exc, message)
            ticket.fail(exc)
        except BaseException as exc:
            # At once: Pykka calls `on_failure` when this actor counts as dead already, and a
            # fresh one, started in between, would not know what is in the air.
            self._fence_if_outstanding(exc)
            raise
        self._current = None

    def _fence_if_outstanding(self, reason: BaseException) -> bool:
        outstanding = self._sequencer.outstanding > 0
        if outstanding:
            self._desk.fenced(reason)
        return outstanding

    def _must_be_kept(self, submit: Submit) -> bool:
        message = submit.message
        if submit.kept or not self._desk.around.journal.is_large(len(message.encoded)):
            return False
        if self._sequencer.find(message) is not None:
            return False
        # Anybody can sign ten megabytes: nothing is written that no slot would name.
        self._sequencer.require_wanted(message)
        return True

    def _schedule(self, message: Verified, ticket: Ticket) -> None:
        found = self._sequencer.find(message)
        if isinstance(found, Known):
            self._desk.answer(ticket, message.process, found.slot)
        elif found is not None:
            self._join(found, ticket)
        else:
            flight = self._sequencer.give(message)
            flight.join(ticket)
            self._desk.probe(Point.SLOT_GIVEN)
            self._launch(flight)

    def _join(self, flight: Flight, ticket: Ticket) -> None:
        flight.join(ticket)
        if flight.stage >= Stage.STORED:
            # It was stored just now, and perhaps nobody waited for its receipt.
            self._desk.committer.await_receipt(flight.assignment, ticket)

    def _launch(self, flight: Flight) -> None:
        if flight.serial:
            flight.on_stored = self._on_stored
        # The pin goes first: the ledger relies on seeing it before the signature.
        self._desk.committer.pin(flight)
        self._desk.signing.sign(flight)

    def _on_stored(self) -> None:
        # On the committer's thread. An actor that is gone left nobody waiting.
        with suppress(pykka.ActorDeadError):
            self.actor_ref.tell(Landed())

    def _info(self) -> ProcessInfo:
        sequencer = self._sequencer
        outstanding = sequencer.outstanding
        return ProcessInfo(sequencer.process, sequencer.slot, sequencer.stored, outstanding)

    def _passivate(self) -> None:
        if self._sequencer.outstanding or self._turns:
            self._registry.tell(Busy(self._sequencer.process))
            return
        self._retired = True
        self._registry.tell(Retired(self._sequencer.process, self.actor_ref))

    def __repr__(self) -> str:
        return f"<ProcessActor {self._sequencer!r}>"
