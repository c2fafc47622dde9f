"""Reading slots together with their messages."""

from __future__ import annotations

import pytest

import actors.schedules
from actors import Stage
from actors.probe import Point
from protocol.entry import Entry
from protocol.errors import NotFound
from protocol.ids import Id
from protocol.message import verify
from protocol.terms import Terms
from tests.actors.outside import PATIENCE, Gate, gate_at
from tests.items import message_item, process_item

NOWHERE = Id(bytes(32))
MESSAGES = 4


@pytest.fixture
def spawn(user_wallet, wallet):
    return process_item(user_wallet, wallet.address)


@pytest.fixture
def items(spawn, user_wallet):
    """A process and its messages, as they were sent."""
    process = verify(spawn).process
    return [spawn, *(message_item(user_wallet, process, number) for number in range(MESSAGES))]


@pytest.fixture
def scheduler(opened, items):
    """A scheduler that holds all of them."""
    scheduler = opened()
    for ticket in [scheduler.schedule(item) for item in items]:
        ticket.stored.get(timeout=PATIENCE)
    return scheduler


@pytest.fixture
def process(spawn):
    return verify(spawn).process


def test_an_entry_is_a_slot_with_its_message(scheduler, process, items) -> None:
    """The assignment names the message beside it, whose bytes are those that were sent."""
    entry = scheduler.entry(process, 2)
    assert isinstance(entry, Entry)
    assert entry.assignment == scheduler.assignment(process, 2)
    assert entry.message.id == entry.assignment.message_id
    assert entry.message.encoded == items[2]


def test_entries_are_a_run_of_slots(scheduler, process, items) -> None:
    """Both bounds are included, and `more` says whether the range was cut."""
    everything = scheduler.entries(process)
    assert [entry.message.encoded for entry in everything.entries] == items
    assert not everything.more
    some = scheduler.entries(process, 1, 3, limit=2)
    assert [entry.assignment.slot for entry in some.entries] == [1, 2]
    assert some.more
    assert scheduler.entries(process, MESSAGES + 1).entries == ()


@pytest.mark.guarantee("L2")
def test_entries_are_bounded_in_bytes(scheduler, process, items, monkeypatch) -> None:
    """An answer ends with the message that fills it, and says that there is more."""
    budget = len(items[0]) + len(items[1])
    monkeypatch.setattr(actors.schedules, "MAX_ENTRIES_BYTES", budget)
    cut = scheduler.entries(process)
    assert [entry.assignment.slot for entry in cut.entries] == [0, 1]
    assert cut.more


def test_a_process_is_here_or_not(scheduler, process, wallet) -> None:
    """What slot 0 fixed can be asked for; another process has none of it."""
    assert scheduler.has(process)
    assert scheduler.has(str(process))
    assert not scheduler.has(NOWHERE)
    assert scheduler.terms(process) == Terms((wallet.address,))
    for ask in (scheduler.terms, scheduler.entries):
        with pytest.raises(NotFound):
            ask(NOWHERE)


def test_a_message_is_found_by_its_id(scheduler, process, items) -> None:
    """The slot that holds it, or None."""
    message = verify(items[3])
    assert scheduler.message_slot(process, message.message_id) == 3
    assert scheduler.message_slot(process, NOWHERE) is None
    assert scheduler.message_slot(NOWHERE, message.message_id) is None


@pytest.mark.guarantee("S4")
def test_what_is_not_stored_is_not_there(opened, items, process) -> None:
    """A slot that is pinned and not stored does not exist for readers."""
    gate = Gate()
    scheduler = opened(probe=gate_at(Point.BEFORE_COMMITMENT_COMMIT, gate))
    ticket = scheduler.schedule(items[0])
    gate.wait_for_arrival()
    try:
        assert not scheduler.has(process)
        assert scheduler.message_slot(process, process) is None
        with pytest.raises(NotFound):
            scheduler.entry(process, 0)
    finally:
        gate.open()
    ticket.future(Stage.STORED).get(timeout=PATIENCE)
    assert scheduler.entry(process, 0).message.id == process
