from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.sequencer import NO_SLOT
from actors.stages import Duplicates
from actors.ticket import Ticket
from protocol.assignment import Block
from protocol.errors import (
    ClockAhead,
    DeadlineExpired,
    Duplicate,
    Fenced,
    NotFound,
    NotOurProcess,
    Refused,
    StoreFull,
    WalletMissing,
)
from protocol.ids import Id
from protocol.message import Verified
from storage.memory_journal import MemoryDisk, MemoryJournal
from tests.actors.cheap import FIRST, SECOND, message, process_message
from tests.actors.life import Life, Outside
from tests.actors.witness import Witness

T = TypeVar("T")
BOTH = (FIRST, SECOND)
HTTPSIG = {"scheduler-commitment-spec": "httpsig@1.0"}
SERIAL = {"scheduler-chain": "base-hashpath"}
LEGACY = {"Variant": "ao.TN.1"}
SPAWNS: tuple[tuple[tuple[Id, ...], dict[str, str]], ...] = (
    ((FIRST,), {}),
    ((SECOND,), SERIAL),
    ((SECOND, FIRST), {}),
    ((FIRST,), LEGACY),
    ((FIRST,), HTTPSIG),
    ((SECOND, FIRST), SERIAL | HTTPSIG),
)
"""Who schedules each of the processes, and what it asks for."""

HOUR_MS = 3600 * 1000
DAY_MS = 24 * HOUR_MS

whiches = st.integers(min_value=0, max_value=63)
"""Which of several: taken modulo how many there are."""

counts = st.integers(min_value=1, max_value=8)
jumps_ms = st.sampled_from([0, -1, -HOUR_MS, HOUR_MS, DAY_MS, -3 * DAY_MS, 2 * DAY_MS])
held = st.sampled_from([BOTH, BOTH, BOTH, (FIRST,)])
rarely = st.sampled_from([False, False, False, True])


class SchedulerMachine(RuleBasedStateMachine):
    """Schedule, sign, commit, publish, fail and crash in any order; audit after every step."""

    @initialize(duplicates=st.sampled_from([Duplicates.SAME, *Duplicates]))
    def create_a_store(self, duplicates: Duplicates) -> None:
        self.duplicates = duplicates
        self.disk = MemoryDisk()
        self.outside = Outside()
        self.witness = Witness(self.disk)
        self.messages: list[Verified] = []
        self.tickets: list[Ticket] = []
        self._open(MemoryJournal(self.disk), BOTH)
        self.spawn(0)

    @rule(which=st.integers(min_value=0, max_value=len(SPAWNS) - 1))
    def spawn(self, which: int) -> None:
        signers, asked = SPAWNS[which]
        self._submit(process_message(f"process {which}", signers, **asked))

    @precondition(lambda self: self._hosted())
    @rule(which=whiches, several=counts)
    def schedule(self, which: int, several: int) -> None:
        process = _pick(self._hosted(), which)
        for _ in range(several):
            self._submit(message(f"message {len(self.messages)}", process))

    @precondition(lambda self: self.messages)
    @rule(which=whiches)
    def schedule_again(self, which: int) -> None:
        self._submit(_pick(self.messages, which))

    @precondition(lambda self: self.messages)
    @rule(which=whiches)
    def schedule_too_late(self, which: int) -> None:
        late = _pick(self.messages, which)
        before = self.life.standing(late.process)
        ticket = Ticket(inf)
        ticket.expire()
        self.life.submit(late, ticket)
        assert isinstance(ticket.assigned.error, DeadlineExpired)
        assert self.life.standing(late.process) == before

    @precondition(lambda self: self.tickets)
    @rule(which=whiches)
    def let_a_deadline_pass(self, which: int) -> None:
        ticket = self.tickets.pop(which % len(self.tickets))
        ticket.expire()
        assert ticket.done

    @rule(several=st.lists(whiches, max_size=8), steps=counts, events=counts)
    def sign_and_commit(self, several: list[int], steps: int, events: int) -> None:
        for which in several[: len(self.life.unsigned)]:
            self.life.sign(which % len(self.life.unsigned))
        for _ in range(steps):
            self.life.step(events)

    @precondition(lambda self: self.life.landed)
    @rule()
    def let_the_next_have_a_turn(self) -> None:
        process = self.life.landed[0]
        before, excuses = self.life.standing(process), self._excuses(process)
        for refusal in self.life.take_turns():
            assert type(refusal) in excuses
        if self.life.standing(process) != before:
            assert not excuses & {ClockAhead, StoreFull, WalletMissing}
            self.believed = max(self.believed, self._skew())

    @precondition(lambda self: self.life.unsigned)
    @rule(which=whiches)
    def sign(self, which: int) -> None:
        self.life.sign(which % len(self.life.unsigned))

    @precondition(lambda self: self.life.busy)
    @rule(events=counts)
    def let_the_committer_work(self, events: int) -> None:
        self.life.step(events)

    @precondition(lambda self: not (self.life.cut or self.life.ledger.idle))
    @rule(applied=st.booleans(), wallets=held)
    def lose_a_commit(self, applied: bool, wallets: tuple[Id, ...]) -> None:
        self.life.journal.fail_next("append", applied=applied)
        with pytest.raises(Fenced):
            self.life.commit()
        self._crash(wallets)

    @precondition(lambda self: not (self.life.cut or self.life.ledger.idle))
    @rule(landed=st.booleans(), wallets=held)
    def cut_the_power(self, landed: bool, wallets: tuple[Id, ...]) -> None:
        # During a commit: its batch is on the disk or not, and nobody is left to be told.
        batch = self.life.ledger.cut().batch
        if landed:
            self.life.journal.append(batch)
        self.tickets.clear()
        self._open(self.life.journal.reopen(), wallets)

    @rule(wallets=held)
    def kill(self, wallets: tuple[Id, ...]) -> None:
        self._crash(wallets)

    @precondition(lambda self: self.life.sequencers)
    @rule(which=whiches)
    def passivate(self, which: int) -> None:
        process = _pick(list(self.life.sequencers), which)
        if self.life.passivate(process) and (head := self.disk.heads.get(process)):
            assert head.stored == head.pinned

    @rule(limit=counts)
    def upload(self, limit: int) -> None:
        self.life.collect(limit)

    @precondition(lambda self: self.life.uploads)
    @rule(several=st.lists(whiches, min_size=1, max_size=8))
    def acknowledge(self, several: list[int]) -> None:
        for which in several[: len(self.life.uploads)]:
            self.life.deliver(which % len(self.life.uploads))

    @precondition(lambda self: self.life.uploads)
    @rule(which=whiches, final=st.booleans())
    def fail_an_upload(self, which: int, final: bool) -> None:
        self.life.bounce(which % len(self.life.uploads), final=final)

    @rule(seconds=st.sampled_from([1, 3, 400]))
    def wait(self, seconds: int) -> None:
        self.outside.seconds += seconds
        self.outside.ms += 1000 * seconds

    @rule(ms=jumps_ms, height=st.integers(min_value=0, max_value=9), full=rarely)
    def change_the_weather(self, ms: int, height: int, full: bool) -> None:
        self.outside.ms += ms
        self.outside.block = Block(height, 60 * height, f"hash of {height}")
        self.disk.full = full

    @precondition(lambda self: self.life.wallets == BOTH)
    @rule(now=rarely)
    def let_all_faults_clear(self, now: bool) -> None:
        if not now:
            return
        before = [self.life.standing(process)[0] for process in self._hosted()]
        self.life.finish()
        if before != [self.life.standing(process)[0] for process in self._hosted()]:
            self.believed = max(self.believed, self._skew())
        for head in self.disk.heads.values():
            assert head.pinned == head.stored == head.published
        assert not self.life.ledger.under_way
        assert not len(self.life.outbox)
        for ticket in self.tickets:
            # Who waited for a turn may have been refused when it came.
            assert isinstance(ticket.published.error, Refused | None)
            assert ticket.published.done
        self.tickets.clear()

    @invariant()
    def audit(self) -> None:
        self.witness.judge(unique=self.duplicates is not Duplicates.ALLOW)

    def _hosted(self) -> list[Id]:
        live = dict.fromkeys([*self.disk.heads, *self.life.sequencers])
        return [process for process in live if self.life.standing(process)[0] > NO_SLOT]

    def _submit(self, message: Verified) -> None:
        self.messages.append(message)
        ticket = Ticket(inf)
        self.witness.listen(ticket)
        before = self.life.standing(message.process)
        excuses = self._excuses(message.process)
        refusal = self._refusal(message, ticket)
        if refusal is not None:
            assert type(refusal) in excuses
            assert self.life.standing(message.process) == before
            return
        self.tickets.append(ticket)
        if self.life.standing(message.process) != before:
            # A new slot: then nothing may have stood against it.
            assert not excuses & {ClockAhead, StoreFull, WalletMissing}
            self.believed = max(self.believed, self._skew())

    def _refusal(self, message: Verified, ticket: Ticket) -> Refused | None:
        try:
            self.life.submit(message, ticket)
        except Refused as refusal:
            return refusal
        return None

    def _excuses(self, process: Id) -> set[type[Refused]]:
        head = self.disk.heads.get(process)
        reasons = {
            StoreFull: self.disk.full,
            ClockAhead: self._skew() > self.believed + DAY_MS,
            Duplicate: self.duplicates is Duplicates.REJECT,
            WalletMissing: head is not None and not {*head.terms.signers} <= {*self.life.wallets},
            NotOurProcess: head is None and self.life.wallets != BOTH,
            NotFound: self.life.standing(process)[0] == NO_SLOT,
        }
        return {refusal for refusal, given in reasons.items() if given}

    def _skew(self) -> int:
        """Say how far the wall clock is ahead of the monotonic one."""
        return self.outside.ms - int(1000 * self.outside.seconds)

    def _crash(self, wallets: tuple[Id, ...]) -> None:
        for ticket in self.tickets:
            ticket.abandon()
        self.tickets.clear()
        self._open(self.life.journal.reopen(), wallets)

    def _open(self, journal: MemoryJournal, wallets: tuple[Id, ...]) -> None:
        self.witness.forget_order()
        self.life = Life(journal, self.outside, self.witness, wallets, self.duplicates)
        self.believed = self._skew()
        self.life.recover()


def _pick(several: Sequence[T], which: int) -> T:
    return several[which % len(several)]


@pytest.mark.guarantee("S1")
@pytest.mark.guarantee("S2")
@pytest.mark.guarantee("S3")
@pytest.mark.guarantee("S4")
@pytest.mark.guarantee("S5")
@pytest.mark.guarantee("S6")
@pytest.mark.guarantee("S7")
@pytest.mark.guarantee("S8")
@pytest.mark.guarantee("S13")
@pytest.mark.guarantee("L3")
class TestEveryOrderOfEvents(SchedulerMachine.TestCase):
    """The same examples every time, so that a red run means a change in the code."""

    settings = settings(
        max_examples=600, stateful_step_count=100, deadline=None, derandomize=True, database=None
    )


@pytest.mark.slow
class TestManyMoreOrdersOfEvents(SchedulerMachine.TestCase):
    """Other examples every time."""

    settings = settings(max_examples=3000, stateful_step_count=120, deadline=None, database=None)
