"""One life of a scheduler without threads: the production logic, a step at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from actors.clock import TimeKeeper
from actors.flight import Flight
from actors.ledger import Cut, Ledger
from actors.messages import Submit
from actors.outbox import Outbox, Slot
from actors.sequencer import NO_SLOT, Known, Sequencer, Surroundings
from actors.settings import PublishSettings
from actors.stages import Duplicates, Stage
from actors.ticket import Ticket
from actors.turns import Turns
from protocol.assignment import Assignment, Block
from protocol.codecs.assignment import published_ids
from protocol.errors import NotFound, Refused, WalletMissing
from protocol.ids import Id
from protocol.message import Verified
from storage.journal import Head, Receipt
from storage.memory_journal import MemoryJournal
from tests.actors.cheap import signatures
from tests.actors.witness import Witness

BACKOFF_SECONDS = 300
MAX_AWAITING = 64
"""More requests than a life makes."""

MANY_ROUNDS = 100
"""Rounds of work after which something must have gone wrong; a few are enough."""


@dataclass
class Outside:
    """What no crash touches: clocks and the chain of blocks.

    Attributes:
        ms: the wall clock.
        seconds: the monotonic clock.
        block: the newest Arweave block.
        signatures: how many were made so far; none is like another.
    """

    ms: int = 1_700_000_000_000
    seconds: float = 1000.0
    block: Block = field(default_factory=Block)
    signatures: int = 0

    def latest(self) -> Block:
        """Be a block clock."""
        return self.block


class Life:
    """What a scheduler holds in memory between opening and crash.

    The steps are those of the threads: `submit` and `take_turns` are a ProcessActor's, `sign` a
    signer's; `step` the committer's; `collect`, `deliver` and `bounce` the
    publisher's. The inbox stands between them, in order, as the committer's queue does.
    """

    def __init__(
        self,
        journal: MemoryJournal,
        outside: Outside,
        witness: Witness,
        wallets: Collection[Id],
        duplicates: Duplicates,
    ) -> None:
        self.journal = journal
        self.outside = outside
        self.witness = witness
        self.wallets = wallets
        now = TimeKeeper(lambda: outside.ms, lambda: outside.seconds).now
        self.around = Surroundings(journal, wallets, now, outside, duplicates)
        self.sequencers: dict[Id, Sequencer] = {}
        self.turns: dict[Id, Turns] = {}
        # Processes whose actors are to hear that a slot of theirs is stored.
        self.landed: deque[Id] = deque()
        self.ledger = Ledger(self._on_stored, MAX_AWAITING)
        self.inbox: deque[tuple] = deque()
        self.unsigned: list[Flight] = []
        # A batch on the disk whose stages are not released yet.
        self.cut: Cut | None = None
        self.outbox = Outbox(PublishSettings(), lambda: 1.0)
        self.uploads: list[Assignment] = []

    def recover(self) -> None:
        """Take up what the last life left undone."""
        for work in self.journal.work():
            if work.unsigned is not None:
                self._revive(work.process)
            if work.unpublished is not None:
                self._publish_from(work.process)

    def submit(self, message: Verified, ticket: Ticket) -> None:
        """Give the message a slot, or find the one it has. Raises what refuses it."""
        if ticket.done:
            return
        self._sequencer(message)
        turns = self.turns[message.process]
        if turns.must_wait(message):
            turns.add(Submit(message, ticket))
        else:
            self._take_up(message, ticket)

    def take_turns(self) -> list[Refused]:
        """Let a process hear that its slot is stored; return what refused those who waited."""
        process = self.landed.popleft()
        refusals: list[Refused] = []
        turns = self.turns.get(process)
        while turns and (submit := turns.take()) is not None:
            try:
                self._take_up(submit.message, submit.ticket)
            except Refused as refusal:
                submit.ticket.fail(refusal)
                refusals.append(refusal)
        return refusals

    def _take_up(self, message: Verified, ticket: Ticket) -> None:
        if not ticket.claim():
            return
        sequencer = self._sequencer(message)
        found = sequencer.find(message)
        if isinstance(found, Known):
            self._answer(self.journal.assignment(message.process, found.slot), ticket)
        elif found is not None:
            found.join(ticket)
        else:
            flight = sequencer.give(message)
            flight.join(ticket)
            self._launch(flight)

    def sign(self, index: int) -> None:
        """Let a signer finish: any of those under way may be the first."""
        flight = self.unsigned.pop(index)
        self.outside.signatures += 1
        seed = f"signature {self.outside.signatures}"
        self.inbox.append(
            (self.ledger.sign, flight, signatures(flight.signers, seed, flight.device))
        )

    def step(self, events: int) -> None:
        """Let the committer do what comes next: release, write, or take up to `events`."""
        if self.cut:
            self.settle()
        elif not self.ledger.idle:
            self.commit()
        else:
            self.take(events)

    def take(self, events: int) -> None:
        """Take what others handed over, in order."""
        for _ in range(min(events, len(self.inbox))):
            act, *arguments = self.inbox.popleft()
            act(*arguments)

    def commit(self) -> None:
        """Write what was taken."""
        cut = self.ledger.cut()
        self.journal.append(cut.batch)
        self.cut = cut

    def settle(self) -> None:
        """Release what the last commit promises."""
        cut, self.cut = self.cut, None
        self.ledger.settle(cut)
        for receipt in cut.receipts:
            self.outbox.settled(receipt.process, receipt.slot)

    def collect(self, limit: int) -> None:
        """Hand stored slots to the bundler."""
        for slot in self.outbox.take(self.outside.seconds, limit):
            assignment = self.journal.assignment(*slot)
            self.uploads.append(assignment)
            # The bundler has seen it, as if it were a caller.
            self.witness.told_assigned(assignment)
            self.witness.told_stored(assignment)

    def deliver(self, index: int) -> None:
        """Let the bundler acknowledge an upload."""
        ready = self.outbox.acknowledged(self._receipt(self.uploads.pop(index)))
        self.inbox.append((self.ledger.receipts, ready))

    def bounce(self, index: int, *, final: bool) -> None:
        """Let the bundler fail, or refuse, an upload."""
        place = _place(self.uploads.pop(index))
        self.outbox.failed(place, self.outside.seconds, reason="no", final=final)

    def passivate(self, process: Id) -> bool:
        """Put a process to rest, unless it has work outstanding."""
        idle = not (self.sequencers[process].outstanding or self.turns[process])
        if idle:
            del self.sequencers[process]
            del self.turns[process]
        return idle

    def standing(self, process: Id) -> tuple[int, int]:
        """Say which slot a process has reached, and how many are outstanding."""
        sequencer = self.sequencers.get(process)
        if sequencer is not None:
            return sequencer.slot, sequencer.outstanding
        head = self._head(process)
        return (head.pinned, head.pinned - head.stored) if head else (NO_SLOT, 0)

    @property
    def busy(self) -> bool:
        """Whether the committer has anything to do."""
        return bool(self.cut or self.inbox or not self.ledger.idle)

    def finish(self) -> None:
        """Let everything succeed until nothing is left to do."""
        for _ in range(MANY_ROUNDS):
            if not (self.unsigned or self.busy or len(self.outbox) or self.landed):
                return
            while self.landed:
                self.take_turns()
            while self.unsigned:
                self.sign(0)
            while self.uploads:
                self.deliver(0)
            while self.busy:
                self.step(len(self.inbox))
            self.outside.seconds += BACKOFF_SECONDS
            self.outside.ms += 1000 * BACKOFF_SECONDS
            self.collect(64)
        raise AssertionError(f"no end in sight: {self.ledger.under_way} slots, {self.outbox}")

    def _sequencer(self, message: Verified) -> Sequencer:
        process = message.process
        if process not in self.sequencers:
            head = self._head(process)
            if head is None and not message.is_process:
                raise NotFound
            self._start(process, head)
        return self.sequencers[process]

    def _head(self, process: Id) -> Head | None:
        try:
            return self.journal.head(process)
        except NotFound:
            return None

    def _start(self, process: Id, head: Head | None) -> None:
        sequencer = Sequencer(process, head, self.around)
        for flight in sequencer.resume():
            self._launch(flight)
        self.sequencers[process] = sequencer
        self.turns[process] = Turns(sequencer)

    def _revive(self, process: Id) -> None:
        with suppress(WalletMissing):
            self._start(process, self.journal.head(process))

    def _launch(self, flight: Flight) -> None:
        self.witness.follow(flight)
        if flight.serial:
            flight.on_stored = partial(self.landed.append, flight.process)
        self.inbox.append((self.ledger.pin, flight))
        self.unsigned.append(flight)

    def _answer(self, assignment: Assignment, ticket: Ticket) -> None:
        ticket.reach(Stage.STORED, assignment)
        self.inbox.append((self._watch, assignment, ticket))

    def _watch(self, assignment: Assignment, ticket: Ticket) -> None:
        if self.journal.head(assignment.process).published >= assignment.slot:
            ticket.reach(Stage.PUBLISHED, assignment)
        else:
            self.ledger.await_receipt(assignment, ticket)

    def _on_stored(self, flights: Sequence[Flight]) -> None:
        for flight in flights:
            flight.body = None
            if flight.process in self.outbox:
                self.outbox.extend(flight.process, flight.slot)
            else:
                self._publish_from(flight.process)

    def _publish_from(self, process: Id) -> None:
        head = self.journal.head(process)
        if head.published < head.stored:
            self.outbox.open(process, head.published + 1, head.stored)

    def _receipt(self, assignment: Assignment) -> Receipt:
        ids = [assignment.message_id, *published_ids(assignment)]
        return Receipt(*_place(assignment), self.outside.ms, tuple((each, "ok") for each in ids))


def _place(assignment: Assignment) -> Slot:
    return assignment.process, assignment.slot
