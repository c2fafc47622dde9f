from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from actors.lookahead import MAX_BYTES_AHEAD, SLOTS_AHEAD, Lookahead, LookaheadReader, Next
from protocol.entry import Entries, Entry
from protocol.errors import Closed, NotFound, PeerFailed, UnexpectedSlot, UntrustedSchedule
from protocol.ids import Id
from protocol.message import Message
from tests.actors.outside import PATIENCE, Gate
from tests.foreign import process_of, schedule
from tests.items import message_item

SLOTS = 3 * SLOTS_AHEAD
"""More than is fetched at once, twice over."""


@pytest.fixture(scope="module")
def entries(user_wallet, wallet) -> list[Entry]:
    """A few slots with signatures, and many more that nobody will verify."""
    first = schedule(user_wallet, wallet, 2)
    process = process_of(first)
    return [first[0], *(_at(first[1], process, slot) for slot in range(1, SLOTS))]


class Shelf:
    """A source that holds entries, and does as it is told.

    Attributes:
        asked: (first, limit) of each question, in order.
        answer: what to do before answering the question for these slots.
    """

    def __init__(self, entries: list[Entry]) -> None:
        self.entries_held = entries
        self.asked: list[tuple[int, int]] = []
        self.told = threading.Semaphore(0)
        self.answer: Callable[[int, int], None] = lambda _first, _limit: None

    def entries(self, process: Id, first: int, last: int | None, limit: int) -> Entries:
        assert process == process_of(self.entries_held)
        assert last is not None
        self.asked.append((first, limit))
        self.told.release()
        self.answer(first, limit)
        found = self.entries_held[first : min(last + 1, first + limit)]
        return Entries(tuple(found), last + 1 < len(self.entries_held))

    def wait_for_questions(self, count: int) -> None:
        for _ in range(count):
            assert self.told.acquire(timeout=PATIENCE)


@pytest.fixture
def shelf(entries) -> Shelf:
    return Shelf(entries)


@pytest.fixture
def lookahead():
    """With a patience that no test exhausts."""
    lookahead = Lookahead(timeout=PATIENCE)
    yield lookahead
    lookahead.close()


def test_slots_are_read_in_order(lookahead, shelf, entries) -> None:
    """Each exactly once and none left out, from the slot before it."""
    process = process_of(entries)
    assert [lookahead.next(shelf, process, slot - 1) for slot in range(SLOTS)] == entries
    with pytest.raises(NotFound):
        lookahead.next(shelf, process, SLOTS - 1)


def test_what_was_fetched_ahead_is_not_fetched_again(lookahead, shelf, entries) -> None:
    """A reader in order costs the source one question for many slots."""
    process = process_of(entries)
    for slot in range(SLOTS):
        lookahead.next(shelf, process, slot - 1)
    inside = [first for first, _ in shelf.asked if first < SLOTS]
    assert inside == [0, SLOTS_AHEAD, 2 * SLOTS_AHEAD]


def test_the_next_slots_are_fetched_before_they_are_asked_for(lookahead, shelf, entries) -> None:
    """The source is asked while the reader is busy with the slots it has."""
    process = process_of(entries)
    for slot in range(SLOTS_AHEAD // 2 + 1):
        lookahead.next(shelf, process, slot - 1)
    shelf.wait_for_questions(2)
    assert shelf.asked[1] == (SLOTS_AHEAD, SLOTS_AHEAD)


def test_a_reader_may_jump(lookahead, shelf, entries) -> None:
    """Forwards within what is there, forwards beyond it, and back."""
    process = process_of(entries)
    for slot in (0, 5, 60, 3, 4, SLOTS - 1, 0):
        assert lookahead.next(shelf, process, slot - 1) == entries[slot]


def test_a_slow_source_is_asked_directly(shelf, entries) -> None:
    """Whoever has waited long enough reads by itself, and the reader goes on."""
    gate = Gate()
    shelf.answer = lambda _, limit: gate.pass_through() if limit > 1 else None
    lookahead = Lookahead(timeout=0.01)
    process = process_of(entries)
    assert lookahead.next(shelf, process, -1) == entries[0]
    assert lookahead.next(shelf, process, 0) == entries[1]
    gate.open()
    lookahead.close()
    assert shelf.asked.count((0, 1)) == 1
    assert shelf.asked.count((1, 1)) == 1


def test_what_came_late_is_used_afterwards(shelf, entries) -> None:
    """The slots that somebody did not wait for are there for the next one."""
    gate = Gate()
    shelf.answer = lambda _first, _limit: gate.pass_through()
    reader = LookaheadReader.start(shelf, process_of(entries))
    reader.ask(Next(0), block=False)
    gate.open()
    assert reader.ask(Next(1), timeout=PATIENCE) == entries[1]
    reader.stop(block=True)
    assert shelf.asked == [(0, SLOTS_AHEAD)]


@pytest.mark.guarantee("L2")
def test_questions_that_were_given_up_cost_nothing(shelf, entries) -> None:
    """Behind a slow fetch they are dropped one after the other, and not fetched for."""
    gate = Gate()
    shelf.answer = lambda _first, _limit: gate.pass_through()
    reader = LookaheadReader.start(shelf, process_of(entries))
    reader.ask(Next(0), block=False)
    gate.wait_for_arrival()
    given_up = [reader.ask(Next(0, until=0.0), block=False) for _ in range(5)]
    gate.open()
    assert [answer.get(timeout=PATIENCE) for answer in given_up] == [None] * 5
    reader.stop(block=True)
    assert shelf.asked == [(0, SLOTS_AHEAD)]


def test_a_slot_that_is_not_there_yet_is_asked_for_again(lookahead, entries) -> None:
    """The end of a schedule is not remembered."""
    process = process_of(entries)
    shelf = Shelf(entries[:2])
    assert lookahead.next(shelf, process, 0) == entries[1]
    with pytest.raises(NotFound):
        lookahead.next(shelf, process, 1)
    shelf.entries_held = entries[:3]
    assert lookahead.next(shelf, process, 1) == entries[2]


def test_another_slot_than_the_expected_one_is_refused(lookahead, entries) -> None:
    """The error says which was expected and which came; nothing is given instead."""
    process = process_of(entries)
    with pytest.raises(UnexpectedSlot) as caught:
        lookahead.next(Shelf([*entries[:1], *entries[2:]]), process, 0)
    assert (caught.value.expected, caught.value.found) == (1, 2)


def test_a_slot_of_another_process_is_refused(lookahead, entries, user_wallet, wallet) -> None:
    """Even with the right number."""
    other = schedule(user_wallet, wallet, 1, named=f"{wallet.address},{user_wallet.address}")
    mixed = Shelf([entries[0], _at(other[0], process_of(other), 1)])
    with pytest.raises(UnexpectedSlot):
        lookahead.next(mixed, process_of(entries), 0)


def test_a_direct_read_refuses_another_slot_too(entries) -> None:
    """Falling back changes the way and not the promise."""
    gate = Gate()
    shelf = Shelf([entries[0], entries[2]])
    shelf.answer = lambda _, limit: gate.pass_through() if limit > 1 else None
    lookahead = Lookahead(timeout=0.01)
    with pytest.raises(UnexpectedSlot):
        lookahead.next(shelf, process_of(entries), 0)
    with pytest.raises(NotFound):
        lookahead.next(shelf, process_of(entries), 5)
    gate.open()
    lookahead.close()


def test_a_slot_further_on_that_proves_nothing_does_no_harm(lookahead, shelf, entries) -> None:
    """Only whoever asks for it gets the error."""

    def refuse(first: int, limit: int) -> None:
        if first <= 5 < first + limit:
            raise UntrustedSchedule("slot 5")

    shelf.answer = refuse
    process = process_of(entries)
    for slot in range(5):
        assert lookahead.next(shelf, process, slot - 1) == entries[slot]
    with pytest.raises(UntrustedSchedule):
        lookahead.next(shelf, process, 4)
    assert lookahead.next(shelf, process, 5) == entries[6]


def test_a_failing_source_is_tried_again(lookahead, shelf, entries) -> None:
    """An error is told to whoever asked, and forgotten; a failed prefetch to nobody."""
    process = process_of(entries)

    def fail(_first: int, _limit: int) -> None:
        raise PeerFailed("away")

    shelf.answer = fail
    with pytest.raises(PeerFailed):
        lookahead.next(shelf, process, -1)
    shelf.answer = lambda first, _: fail(first, 0) if first else None
    assert lookahead.next(shelf, process, -1) == entries[0]
    for slot in range(1, SLOTS_AHEAD):
        assert lookahead.next(shelf, process, slot - 1) == entries[slot]
    with pytest.raises(PeerFailed):
        lookahead.next(shelf, process, SLOTS_AHEAD - 1)


def test_an_unexpected_error_ahead_is_logged(lookahead, shelf, entries, warned) -> None:
    """A source with a defect is an operator's business, and its reader goes on."""
    process = process_of(entries)

    def break_down(first: int, _limit: int) -> None:
        if first:
            raise RuntimeError("a defect")

    shelf.answer = break_down
    for slot in range(SLOTS_AHEAD):
        assert lookahead.next(shelf, process, slot - 1) == entries[slot]
    assert "a defect" in warned()


@pytest.mark.guarantee("L2")
def test_large_messages_are_not_hoarded(entries, user_wallet) -> None:
    """What is kept ahead is bounded in bytes, and the slot asked for is given whatever its size."""
    process = process_of(entries)
    size = MAX_BYTES_AHEAD // 2
    item = Message.decode(message_item(user_wallet, process, data="x" * size))
    large = [_at(Entry(entries[1].assignment, item), process, slot) for slot in range(8)]
    shelf = Shelf(large)
    reader = LookaheadReader.start(shelf, process)
    for slot in range(6):
        assert reader.ask(Next(slot), timeout=PATIENCE) == large[slot]
        # One of them is kept at most; the next fetch waits until that is read.
        assert max(first for first, _ in shelf.asked) <= slot + 1
    reader.stop(block=True)


@pytest.mark.guarantee("L2")
def test_readers_are_bounded(entries, user_wallet, wallet) -> None:
    """The schedule not read for longest makes room, and is read again all the same."""
    other = schedule(user_wallet, wallet, 2, named=f"{wallet.address},{user_wallet.address}")
    first, second = Shelf(entries), Shelf(other)
    lookahead = Lookahead(timeout=PATIENCE, max_readers=1)
    for _ in range(2):
        assert lookahead.next(first, process_of(entries), -1) == entries[0]
        assert lookahead.next(second, process_of(other), 0) == other[1]
        assert repr(lookahead) == "<Lookahead readers=1>"
    lookahead.close()


def test_a_closed_lookahead_reads_nothing(lookahead, shelf, entries) -> None:
    """Closing twice is harmless."""
    lookahead.next(shelf, process_of(entries), -1)
    lookahead.close()
    lookahead.close()
    with pytest.raises(Closed):
        lookahead.next(shelf, process_of(entries), 0)


def test_a_reader_drops_other_messages(entries, shelf, caplog) -> None:
    """Somebody's mistake ends no reader."""
    reader = LookaheadReader.start(shelf, process_of(entries))
    reader.tell("nonsense")
    assert reader.ask(Next(0), timeout=PATIENCE) == entries[0]
    reader.stop(block=True)
    assert "nonsense" in caplog.text


def _at(entry: Entry, process: Id, slot: int) -> Entry:
    return replace(entry, assignment=replace(entry.assignment, process=process, slot=slot))
