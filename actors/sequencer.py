"""The slots of one process: which message gets which, decided by one thread at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from operator import index

from actors.blocks import BlockClock
from actors.flight import Flight
from actors.stages import Duplicates, Stage
from protocol.assignment import Assignment, Block
from protocol.chain import chain_rule
from protocol.codecs.httpsig_assignment import require_carried
from protocol.commitment import HTTPSIG
from protocol.errors import (
    Duplicate,
    IdCollision,
    NotFound,
    NotNow,
    Refused,
    StoreFull,
    WalletMissing,
    WrongTarget,
)
from protocol.ids import Id
from protocol.message import Verified
from protocol.terms import DEFAULTS, Defaults, Terms, spawn_terms
from storage.journal import Body, Head, Journal, Pin

NO_SLOT = -1


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What sequencers of one shard share; nothing in it is theirs to change.

    Attributes:
        journal: only read here.
        wallets: addresses that can sign here.
        now: milliseconds for the next assignment; may raise `ClockAhead`.
        blocks: the newest known block.
        duplicates: what a message that comes again gets.
        defaults: what a process gets that asks for nothing else.
    """

    journal: Journal
    wallets: Collection[Id]
    now: Callable[[], int]
    blocks: BlockClock
    duplicates: Duplicates = Duplicates.SAME
    defaults: Defaults = DEFAULTS


@dataclass(frozen=True, slots=True)
class Known:
    """The message already has a slot that is stored."""

    slot: int


class Sequencer:
    """Give the slots of one process.

    Decides everything first and changes its state last, so a refusal leaves no trace.

    Attributes:
        process: ID of the process.
        slot: highest slot given, -1 before the process's own message.
        stored: highest slot seen as stored.
    """

    def __init__(self, process: Id, head: Head | None, around: Surroundings) -> None:
        self.process = process
        self._around = around
        self._terms: Terms | None = head.terms if head else None
        self._missing = _missing_wallets(head, around.wallets)
        self.slot = head.pinned if head else NO_SLOT
        self.stored = head.stored if head else NO_SLOT
        self._link = head.link if head else ""
        self._timestamp = head.timestamp if head else 0
        self._block = head.block if head else Block()
        # Slots given and not yet stored, in order; and the first of them for each message.
        self._flights: deque[Flight] = deque()
        self._by_message: dict[Id, Flight] = {}

    @property
    def serial(self) -> bool:
        """Whether each slot's link needs the signature of the one before."""
        return self._terms is not None and chain_rule(self._terms.chain).serial

    @property
    def outstanding(self) -> int:
        """How many slots are given and not yet stored."""
        self._prune()
        return len(self._flights)

    def resume(self) -> list[Flight]:
        """Take up the slots that are pinned and unsigned, for the same messages.

        Raises:
            Refused: they are left as they are. `WalletMissing`, `NeedsAdoption`,
                `CorruptRecord`.
        """
        if self.stored == self.slot or self._terms is None:
            return []
        self._require_wallets()
        # A full store keeps its reserve for these; one that was moved must not sign them.
        with suppress(StoreFull):
            self._around.journal.require_space(0)
        pinned = self._around.journal.pinned(self.process, self.stored + 1, self.slot)
        terms = self._terms
        flights = [Flight(unsigned, terms.signers, None, terms.device) for unsigned in pinned]
        for flight in flights:
            self._add(flight)
        return flights

    def find(self, message: Verified) -> Flight | Known | None:
        """Say where `message` already stands: under way, stored, or nowhere yet.

        Raises:
            WrongTarget: it is for another process.
            Duplicate: it stands somewhere, and duplicates are refused.
            IdCollision: its ID stands for other bytes.
        """
        if message.process != self.process:
            raise WrongTarget(f"the message is for {message.process}, not for {self.process}")
        body = Body(message.codec, message.encoded)
        if self._around.duplicates is Duplicates.ALLOW:
            self._require_same(message.message_id, body)
            return None
        found = self._look_up(message.message_id, body)
        if found is not None and self._around.duplicates is Duplicates.REJECT:
            raise Duplicate(f"message {message.message_id} has slot {found.slot}")
        return found

    def give(self, message: Verified) -> Flight:
        """Give `message`, which `find` did not find, the next slot.

        Under a serial rule, once the one before is stored.

        Raises:
            Refused: it gets no slot, and nothing changed. `NotFound`, `WalletMissing`,
                `StoreFull`, `NeedsAdoption`, `ClockAhead`, `NotNow` when a clock fails,
                `UnsupportedValue` for a path that its device cannot carry, and what
                `spawn_terms` raises for the first message.
        """
        terms = self.require_wanted(message)
        body = Body(message.codec, message.encoded)
        self._around.journal.require_space(len(body.encoded))
        assignment = self._next(message, terms)
        pin = Pin(assignment, body, None if self._terms else terms)
        flight = Flight(assignment, terms.signers, pin, terms.device)
        self._terms = terms
        self.slot = assignment.slot
        self._link = assignment.link
        self._timestamp = assignment.timestamp
        self._block = assignment.block
        self._add(flight)
        return flight

    def require_wanted(self, message: Verified) -> Terms:
        """Return the terms under which `message` would get a slot now.

        Raises:
            Refused: it gets none. `NotFound`, `WalletMissing`, `UnsupportedValue`, and what
                `spawn_terms` raises for the first message.
        """
        terms = self._terms or self._spawn(message)
        self._require_wallets()
        if terms.device == HTTPSIG:
            require_carried(message.path)
        return terms

    def _look_up(self, message_id: Id, body: Body) -> Flight | Known | None:
        self._prune()
        under_way = self._by_message.get(message_id)
        if under_way is not None:
            return under_way
        slot = self._around.journal.place(self.process, message_id, body)
        return None if slot is None else Known(slot)

    def _spawn(self, message: Verified) -> Terms:
        if not message.is_process:
            raise NotFound(f"process {self.process} is not scheduled here")
        return spawn_terms(message.keys, self._around.wallets, self._around.defaults)

    def _require_wallets(self) -> None:
        if self._missing:
            raise WalletMissing(f"process {self.process} needs wallet {self._missing[0]}")

    def _require_same(self, message_id: Id, body: Body) -> None:
        flight = self._by_message.get(message_id)
        # Once the committer takes the body away, the store has it.
        kept = flight.body if flight else None
        if not (kept == body if kept else self._around.journal.same_body(message_id, body)):
            raise IdCollision(f"message ID {message_id} is taken by other bytes")

    def _next(self, message: Verified, terms: Terms) -> Assignment:
        timestamp, block = self._moment()
        return Assignment(
            process=self.process,
            slot=self.slot + 1,
            message_id=message.message_id,
            link=self._next_link(message.message_id, terms),
            timestamp=timestamp,
            block=block,
            path=message.path,
            chain=terms.chain,
            variant=terms.variant,
        )

    def _next_link(self, message_id: Id, terms: Terms) -> str:
        rule, before = chain_rule(terms.chain), None
        if rule.serial and self.slot > NO_SLOT:
            # From the store: what was signed and never stored is signed anew, and differs.
            before = self._around.journal.assignment(self.process, self.slot).id
        return rule.next(self._link, message_id, before)

    def _moment(self) -> tuple[int, Block]:
        # Both clocks come from outside: one that breaks costs the message, not the actor.
        try:
            timestamp, block = index(self._around.now()), self._around.blocks.latest()
            newer = block.height >= self._block.height
        except Refused:
            raise
        except Exception as exc:
            raise NotNow(f"a clock failed: {exc!r}") from exc
        return max(self._timestamp, timestamp), block if newer else self._block

    def _add(self, flight: Flight) -> None:
        self._flights.append(flight)
        self._by_message.setdefault(flight.assignment.message_id, flight)

    def _prune(self) -> None:
        # A flight is dropped only once its commitment is visible to readers: until then the
        # map is the only place that knows the message.
        while self._flights and self._flights[0].stage >= Stage.STORED:
            flight = self._flights.popleft()
            self.stored = flight.slot
            message_id = flight.assignment.message_id
            if self._by_message.get(message_id) is flight:
                del self._by_message[message_id]

    def __repr__(self) -> str:
        return f"<Sequencer {str(self.process)[:6]} slot={self.slot} stored={self.stored}>"


def _missing_wallets(head: Head | None, wallets: Collection[Id]) -> list[Id]:
    return [address for address in head.terms.signers if address not in wallets] if head else []
