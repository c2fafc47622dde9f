from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from actors.flight import Flight
from actors.ledger import Ledger
from actors.ticket import Ticket
from protocol.errors import OutcomeUnknown, PublicationPending
from storage.journal import Body, Pin, Receipt
from tests.actors.cheap import FIRST, assignment, signatures

MAX_AWAITING = 8


@pytest.fixture
def stored():
    return []


@pytest.fixture
def ledger(stored):
    return Ledger(stored.extend, MAX_AWAITING)


def test_an_empty_ledger_is_idle(ledger) -> None:
    """Nothing to write, nothing under way."""
    assert ledger.idle
    assert ledger.under_way == 0


@pytest.mark.guarantee("S7")
def test_a_signature_waits_for_those_before_it(ledger) -> None:
    """Whichever signature comes first, slots are stored and released in order."""
    flights, tickets = given(ledger, 3)
    write(ledger)
    sign(ledger, flights[2])
    sign(ledger, flights[1])
    assert ledger.cut().signed == []
    assert not any(ticket.assigned.done for ticket in tickets)
    sign(ledger, flights[0])
    assert all(ticket.assigned.done for ticket in tickets)
    assert [flight.slot for flight in ledger.cut().signed] == [0, 1, 2]


@pytest.mark.guarantee("S6")
def test_nothing_signed_is_released_before_its_pin_is_durable(ledger) -> None:
    """A signature that is faster than the disk stays inside until the pin is written."""
    (flight,), (ticket,) = given(ledger, 1)
    sign(ledger, flight)
    cut = ledger.cut()
    assert not ticket.assigned.done
    ledger.settle(cut)
    assert ticket.assigned.get(timeout=0) == ticket.stored.get(timeout=0)


def test_a_pin_and_its_signature_share_a_cut(ledger) -> None:
    """A commitment is never written before the pin it belongs to."""
    (flight,), _ = given(ledger, 1)
    sign(ledger, flight)
    batch = ledger.cut().batch
    assert [pin.assignment.slot for pin in batch.pins] == [0]
    assert [signed.slot for signed in batch.signed] == [0]


def test_assigned_comes_with_the_signature_once_the_pin_is_durable(ledger) -> None:
    """When the disk was faster, ASSIGNED waits for nothing but the signature."""
    (flight,), (ticket,) = given(ledger, 1)
    write(ledger)
    assert not ticket.assigned.done
    sign(ledger, flight)
    assert ticket.assigned.done
    assert not ticket.stored.done


@pytest.mark.guarantee("S6")
@pytest.mark.parametrize("chain", ["base-hashpath", "legacy"])
def test_under_a_serial_rule_assigned_comes_with_stored(ledger, stored, chain) -> None:
    """Its signature is the next link: it is shown once it is durable, whatever came first."""
    unsigned = replace(assignment(0).signed(()), chain=chain)
    flight = Flight(unsigned, (FIRST,), Pin(unsigned, Body("ans104", b"message")))
    landed, ticket = [], Ticket(inf)
    flight.on_stored = lambda: landed.append(ticket.stored.done)
    flight.join(ticket)
    ledger.pin(flight)
    write(ledger)
    sign(ledger, flight)
    assert not ticket.assigned.done
    assert landed == []
    write(ledger)
    assert ticket.assigned.done
    # Its actor hears of it after all who wait for it.
    assert landed == [True]
    assert stored == [flight]


def test_recovered_slots_are_not_pinned_again(ledger) -> None:
    """What recovery found pinned is signed, and goes on from its own slot."""
    flight = Flight(assignment(7).signed(()), (FIRST,), None)
    ledger.pin(flight)
    assert ledger.idle
    sign(ledger, flight)
    cut = ledger.cut()
    assert (cut.batch.pins, [signed.slot for signed in cut.batch.signed]) == ([], [7])


def test_processes_do_not_wait_for_each_other(ledger) -> None:
    """A missing signature holds up its own process only."""
    given(ledger, 1, "slow")
    (fast,), (ticket,) = given(ledger, 1, "fast")
    write(ledger)
    sign(ledger, fast)
    assert ticket.assigned.done


def test_what_is_under_way_is_counted(ledger, stored) -> None:
    """A slot is under way from the moment it is given until it is stored."""
    flights, _ = given(ledger, 2)
    assert ledger.under_way == 2
    sign(ledger, flights[0])
    write(ledger)
    assert ledger.under_way == 1
    assert stored == [flights[0]]


@pytest.mark.parametrize(("under_way", "signed"), [(4, 2), (20, 12)])
def test_writing_is_worthwhile_once_most_of_what_is_under_way_is_signed(
    ledger, under_way, signed
) -> None:
    """At least half, and all but a few that keep the signers busy; what waits is bounded."""
    flights, _ = given(ledger, under_way)
    write(ledger)
    for flight in flights[: signed - 1]:
        sign(ledger, flight)
    assert not ledger.worthwhile(enough=signed)
    assert ledger.worthwhile(enough=signed - 1)
    sign(ledger, flights[signed - 1])
    assert ledger.worthwhile(enough=signed + 1)


def test_a_process_can_come_back_after_its_last_slot(ledger, stored) -> None:
    """When nothing of a process is under way it is forgotten, and its next slot starts anew."""
    first, second = (flight_of(slot) for slot in (0, 1))
    for flight in (first, second):
        ledger.pin(flight)
        sign(ledger, flight)
        write(ledger)
    assert stored == [first, second]


@pytest.mark.guarantee("S5")
def test_published_comes_with_the_durable_receipt(ledger) -> None:
    """PUBLISHED is released once the receipt is written, not when it arrives."""
    (flight,), (ticket,) = given(ledger, 1)
    sign(ledger, flight)
    write(ledger)
    ledger.receipts([receipt_for(flight)])
    cut = ledger.cut()
    assert not ticket.published.done
    ledger.settle(cut)
    assert ticket.published.get(timeout=0).slot == 0


def test_a_stored_message_that_comes_again_waits_for_the_receipt(ledger) -> None:
    """Whoever asks again for an unpublished slot is told when it is published."""
    (flight,), (first,) = given(ledger, 1)
    sign(ledger, flight)
    write(ledger)
    again, third = Ticket(inf), Ticket(inf)
    ledger.await_receipt(flight.assignment, again)
    ledger.await_receipt(flight.assignment, third)
    assert again.stored.done
    assert not again.published.done
    ledger.receipts([receipt_for(flight)])
    write(ledger)
    assert all(ticket.published.done for ticket in (first, again, third))


def test_a_slot_that_nobody_awaits_can_be_asked_for_later(ledger) -> None:
    """A slot whose callers all left still answers the next one."""
    flight = flight_of(0)
    ledger.pin(flight)
    sign(ledger, flight)
    write(ledger)
    late = Ticket(inf)
    ledger.await_receipt(flight.assignment, late)
    ledger.receipts([receipt_for(flight)])
    write(ledger)
    assert late.published.done


@pytest.mark.guarantee("L2")
def test_expired_requests_are_not_kept_for_their_receipts(ledger) -> None:
    """While the bundler is down, what nobody waits for any more leaves memory."""
    flights, tickets = given(ledger, 2)
    for flight in flights:
        sign(ledger, flight)
    write(ledger)
    assert len(ledger._waiters) == 2
    tickets[0].published.fail(OutcomeUnknown())
    write(ledger)
    assert len(ledger._waiters) == 1


@pytest.mark.guarantee("L2")
def test_past_the_bound_nobody_waits_for_a_receipt(ledger) -> None:
    """A slot asked for without end holds a bounded number of tickets; the others end at once."""
    (flight,), _ = given(ledger, 1)
    sign(ledger, flight)
    write(ledger)
    again = [Ticket(inf) for _ in range(MAX_AWAITING)]
    for ticket in again:
        ledger.await_receipt(flight.assignment, ticket)
    assert len(ledger._waiters) == len(flight.waiting()) == MAX_AWAITING
    assert isinstance(again[-1].published.error, PublicationPending)
    assert again[-1].stored.done
    ledger.receipts([receipt_for(flight)])
    write(ledger)
    assert [ticket.published.error for ticket in again[:-1]] == [None] * (MAX_AWAITING - 1)
    assert all(ticket.published.done for ticket in again)


@pytest.mark.guarantee("L2")
def test_a_request_that_waits_long_hides_no_expired_one(ledger) -> None:
    """Whatever the order in which requests end, each that comes makes room for itself."""
    flights, tickets = given(ledger, 2)
    for flight in flights:
        sign(ledger, flight)
    write(ledger)
    for _ in range(20 * MAX_AWAITING):
        again = Ticket(inf)
        ledger.await_receipt(flights[1].assignment, again)
        assert not again.published.done
        again.expire()
    assert not tickets[0].published.done
    assert len(ledger._waiters) < MAX_AWAITING
    assert len(flights[1].waiting()) == 1


def flight_of(slot: int, process: str = "process") -> Flight:
    unsigned = assignment(slot, process).signed(())
    return Flight(unsigned, (FIRST,), Pin(unsigned, Body("ans104", b"message")))


def given(ledger: Ledger, count: int, process: str = "process"):
    flights = [flight_of(slot, process) for slot in range(count)]
    tickets = [Ticket(inf) for _ in flights]
    for flight, ticket in zip(flights, tickets, strict=True):
        flight.join(ticket)
        ledger.pin(flight)
    return flights, tickets


def sign(ledger: Ledger, flight: Flight) -> None:
    ledger.sign(flight, signatures((FIRST,), f"slot {flight.slot}"))


def write(ledger: Ledger) -> None:
    ledger.settle(ledger.cut())


def receipt_for(flight: Flight) -> Receipt:
    return Receipt(flight.process, flight.slot, 0, ())
