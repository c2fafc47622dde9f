"""Waiting for the slot before: in order, and no longer than the deadline."""

from __future__ import annotations

from math import inf

import pytest

from actors.messages import Submit
from actors.sequencer import Sequencer, Surroundings
from actors.stages import Duplicates, Stage
from actors.ticket import Ticket
from actors.turns import SWEEP_FROM, Turns
from protocol.assignment import Block
from protocol.errors import Duplicate, WrongTarget
from protocol.ids import digest_id
from storage.memory_journal import MemoryJournal
from tests.actors.cheap import FIRST, message, process_message

SERIAL = {"scheduler-chain": "base-hashpath"}
SPAWN = process_message("serial", **SERIAL)


class Blocks:
    def latest(self) -> Block:
        return Block()


def sequencer_of(spawn=SPAWN, duplicates: Duplicates = Duplicates.SAME) -> Sequencer:
    """A process whose own message has slot 0, which is not stored."""
    around = Surroundings(MemoryJournal(), (FIRST,), lambda: 1, Blocks(), duplicates)
    return Sequencer(spawn.process, None, around)


@pytest.fixture
def sequencer():
    return sequencer_of()


@pytest.fixture
def first(sequencer):
    """The flight of slot 0."""
    return sequencer.give(SPAWN)


@pytest.fixture
def turns(sequencer, first):  # noqa: ARG001 - slot 0 is given first
    return Turns(sequencer)


def submit(number: int = 0) -> Submit:
    return Submit(message(f"message {number}", SPAWN.process), Ticket(inf))


def test_a_new_message_waits_until_the_slot_before_is_stored(turns, first) -> None:
    """Then those who wait have a turn, in the order in which they came."""
    waiting = [submit(number) for number in range(3)]
    for each in waiting:
        assert turns.must_wait(each.message)
        turns.add(each)
    assert turns.take() is None
    first.reach(Stage.STORED)
    assert [turns.take() for _ in range(4)] == [*waiting, None]


def test_nobody_overtakes(turns, first) -> None:
    """Whoever comes after a slot is stored, and before those in line have heard of it, lines up."""
    turns.add(submit(1))
    first.reach(Stage.STORED)
    assert turns.must_wait(submit(2).message)
    turns.take()
    assert not turns.must_wait(submit(2).message)


def test_a_message_that_has_its_slot_waits_for_nobody(turns) -> None:
    """Sent again, it joins the slot that is under way."""
    assert not turns.must_wait(SPAWN)


def test_what_gets_no_slot_is_refused_at_once(turns) -> None:
    """A message for another process does not wait to hear that."""
    with pytest.raises(WrongTarget):
        turns.must_wait(message("astray", digest_id(b"elsewhere")))


def test_a_refused_duplicate_is_refused_at_once() -> None:
    """Where duplicates are refused, nobody waits for that either."""
    sequencer = sequencer_of(duplicates=Duplicates.REJECT)
    sequencer.give(SPAWN)
    with pytest.raises(Duplicate):
        Turns(sequencer).must_wait(SPAWN)


def test_where_signatures_are_parallel_nobody_waits() -> None:
    """The rule `hash-chain` needs no signature of the slot before."""
    spawn = process_message("parallel")
    sequencer = sequencer_of(spawn)
    sequencer.give(spawn)
    assert not Turns(sequencer).must_wait(message("next", spawn.process))


@pytest.mark.guarantee("L1")
def test_who_has_expired_has_no_turn(turns, first) -> None:
    """Those behind go on in their place."""
    late, early = submit(1), submit(2)
    turns.add(late)
    turns.add(early)
    late.ticket.expire()
    first.reach(Stage.STORED)
    assert turns.take() is early


@pytest.mark.guarantee("L2")
def test_the_expired_are_forgotten(turns) -> None:
    """While nothing is stored for long, those who gave up do not pile up in memory."""
    patient = submit(0)
    turns.add(patient)
    for number in range(10 * SWEEP_FROM):
        impatient = submit(number)
        turns.add(impatient)
        impatient.ticket.expire()
    assert len(turns) <= 2 * SWEEP_FROM
    assert turns.drop() is patient


def test_all_can_be_sent_elsewhere(turns) -> None:
    """When an actor ends, those in line are taken out, turn or not."""
    waiting = [submit(number) for number in range(2)]
    for each in waiting:
        turns.add(each)
    assert [turns.drop() for _ in range(3)] == [*waiting, None]
    assert len(turns) == 0
