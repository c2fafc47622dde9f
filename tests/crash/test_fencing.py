"""Whatever breaks inside a live scheduler, it stops, says so, and reopening tells the truth."""

from __future__ import annotations

from math import inf
from pathlib import Path
from types import SimpleNamespace

import pytest

from actors import Info, Scheduler, Stage, Submit, Ticket
from actors.clock import system_clock
from actors.probe import Point
from protocol.errors import Closed, NotNow, OutcomeUnknown
from protocol.wallet import Wallet
from tests.crash.answers import PATIENCE_SECONDS, answers, ending
from tests.crash.load import SMALL_UPLOADS
from tests.crash.probes import Broken, Fault, Hold
from tests.crash.program import Program
from tests.crash.recovery import recover
from tests.crash.telling import Item, Job, Opened, Told
from tests.crash.testimony import Testimony

PER_SLOT = {Point.SLOT_GIVEN, Point.AFTER_SIGNING}


@pytest.mark.guarantee("S1", "S4", "S5", "S6", "S13", "L1", "L3")
@pytest.mark.parametrize("point", Point)
def test_a_fault_at_any_point_stops_the_scheduler(
    point: Point, testimony: Testimony, items: tuple[Item, ...], wallets: tuple[Wallet, ...]
) -> None:
    """Whoever fails wherever, every request is answered, and what was said is true afterwards."""
    fault = Fault(point, call=4 if point in PER_SLOT else 2)
    with Scheduler.open(
        testimony.root, wallets, probe=fault, settings=SMALL_UPLOADS, deadline=60
    ) as scheduler:
        # One message by itself passes every point once, however the others are grouped.
        hear(testimony, items[0], scheduler.schedule(items[0].message))
        for item, ticket in send_until_closed(scheduler, items[1:]):
            hear(testimony, item, ticket)
        with pytest.raises(Closed, match=f"broken at {point}"):
            scheduler.schedule(items[0].message)
    recover(testimony, wallets, items)


@pytest.mark.guarantee("S1", "S9", "L1")
def test_a_scheduler_that_lost_its_store_is_fenced(
    testimony: Testimony,
    one_process: tuple[Item, ...],
    wallets: tuple[Wallet, ...],
    wallet_files: tuple[Path, ...],
) -> None:
    """Once another program has taken the store over, nothing of what is under way is written."""
    hold = Hold(Point.BEFORE_PIN_COMMIT)
    spawn, *messages = one_process
    thief = Job(testimony.root, wallet_files, past_the_lock=True)
    with Scheduler.open(testimony.root, wallets, probe=hold, deadline=60) as scheduler:
        hear(testimony, spawn, scheduler.schedule(spawn.message))
        hold.arm()
        tickets = [scheduler.schedule(item.message) for item in messages]
        assert outstanding(scheduler, spawn) == len(messages)
        hold.wait()
        with Program(thief, testimony.root.parent) as program:
            program.wait_for(Opened)
            hold.release()
            for ticket in tickets:
                assert isinstance(ending(ticket, Stage.ASSIGNED), OutcomeUnknown)
                assert isinstance(ending(ticket, Stage.PUBLISHED), OutcomeUnknown)
            with pytest.raises(Closed, match="taken this store over"):
                scheduler.schedule(spawn.message)
            scheduler.close()
            heads = testimony.judge()
            assert heads[spawn.id].pinned == 0
    recover(testimony, wallets, one_process)


class Clock:
    """The wall clock, until it breaks."""

    broken = False

    def __call__(self) -> int:
        if self.broken:
            raise Broken("the clock broke")
        return system_clock()


@pytest.mark.guarantee("L1", "L3")
def test_a_clock_that_breaks_refuses_messages(
    testimony: Testimony, one_process: tuple[Item, ...], wallets: tuple[Wallet, ...]
) -> None:
    """While the clock fails messages get no slot, with a time to try again; then all goes on."""
    spawn, message, *_ = one_process
    clock = Clock()
    with Scheduler.open(testimony.root, wallets, clock=clock, deadline=60) as scheduler:
        hear(testimony, spawn, scheduler.schedule(spawn.message))
        clock.broken = True
        refused = ending(scheduler.schedule(message.message), Stage.ASSIGNED)
        assert isinstance(refused, NotNow)
        assert refused.retry_after
        clock.broken = False
        hear(testimony, message, scheduler.schedule(message.message))
        assert scheduler.status().fenced is None
    recover(testimony, wallets, [spawn, message])


@pytest.mark.guarantee("S13", "L1")
def test_an_actor_that_dies_with_slots_in_the_air_stops_the_scheduler(
    testimony: Testimony, one_process: tuple[Item, ...], wallets: tuple[Wallet, ...]
) -> None:
    """What it had given is unknown to everybody: every request ends so, and may be sent again."""
    spawn, message, *_ = one_process
    hold = Hold(Point.BEFORE_PIN_COMMIT)
    hold.arm()
    with Scheduler.open(testimony.root, wallets, probe=hold, deadline=60) as scheduler:
        first = scheduler.schedule(spawn.message)
        hold.wait()
        second = break_actor(scheduler, spawn)
        assert isinstance(ending(second, Stage.ASSIGNED), OutcomeUnknown)
        assert isinstance(ending(first, Stage.ASSIGNED), OutcomeUnknown)
        with pytest.raises(Closed, match="no attribute"):
            scheduler.schedule(message.message)
        hold.release()
    recover(testimony, wallets, [spawn, message])


@pytest.mark.guarantee("S13", "L1", "L3")
def test_an_actor_that_dies_with_nothing_in_the_air_is_replaced(
    testimony: Testimony, one_process: tuple[Item, ...], wallets: tuple[Wallet, ...]
) -> None:
    """One request ends unknown; asked again, a fresh actor gives the slot, and all goes on."""
    spawn, message, *_ = one_process
    with Scheduler.open(testimony.root, wallets, deadline=60) as scheduler:
        hear(testimony, spawn, scheduler.schedule(spawn.message))
        unknown = break_actor(scheduler, spawn)
        assert isinstance(ending(unknown, Stage.ASSIGNED), OutcomeUnknown)
        again = scheduler.schedule(message.message)
        assert again.published.get(timeout=PATIENCE_SECONDS).slot == 1
        hear(testimony, message, again)
    recover(testimony, wallets, [spawn, message])


class FailingSigner:
    """Sign a few times, then fail."""

    def __init__(self, signatures: int) -> None:
        self._left = signatures

    def sign(self, wallet: Wallet, data: bytes, scheme: str) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise Broken("the key is gone")
        return wallet.sign(data, scheme)


@pytest.mark.guarantee("S1", "S7", "L1")
def test_a_signer_that_fails_stops_the_scheduler(
    testimony: Testimony, items: tuple[Item, ...], wallets: tuple[Wallet, ...]
) -> None:
    """Slots that cannot be signed stay pinned, and are signed when there is a key again."""
    signer = FailingSigner(5)
    with Scheduler.open(testimony.root, wallets, signer=signer, deadline=60) as scheduler:
        for item, ticket in send_until_closed(scheduler, items):
            hear(testimony, item, ticket)
        with pytest.raises(Closed, match="the key is gone"):
            scheduler.schedule(items[0].message)
    recover(testimony, wallets, items)


def send_until_closed(scheduler: Scheduler, items: tuple[Item, ...]) -> list[tuple[Item, Ticket]]:
    tickets: list[tuple[Item, Ticket]] = []
    try:
        tickets.extend((item, scheduler.schedule(item.message)) for item in items)
    except Closed:
        assert tickets, "it was closed from the start"
    return tickets


def break_actor(scheduler: Scheduler, process: Item) -> Ticket:
    """Tell an actor what none survives; return the ticket that goes with it."""
    ticket = Ticket(inf)
    ref = scheduler.registry.find(process.id).get(timeout=PATIENCE_SECONDS)
    ref.tell(Submit(SimpleNamespace(encoded=b""), ticket))  # type: ignore[arg-type]
    return ticket


def hear(testimony: Testimony, item: Item, ticket: Ticket) -> None:
    testimony.hear(Told(item.id, *answer) for answer in answers(ticket).items())


def outstanding(scheduler: Scheduler, process: Item) -> int:
    """How many slots are in the air, once everything sent so far was looked at."""
    ref = scheduler.registry.find(process.id).get(timeout=PATIENCE_SECONDS)
    return ref.ask(Info(), timeout=PATIENCE_SECONDS).outstanding
