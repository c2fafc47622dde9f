from __future__ import annotations

import threading
import time
from math import inf

import pykka
import pytest

from actors import Info, Passivate, ProcessActor, Stage, Submit, Ticket
from actors.clock import MAX_JUMP_MS
from actors.messages import Retired
from actors.probe import Point
from protocol.errors import ClockAhead, DeadlineExpired, NotFound, NotOurProcess, OutcomeUnknown
from protocol.ids import Id
from protocol.message import verify
from storage import open_readers
from tests.actors.cheap import message
from tests.actors.outside import PATIENCE, Bundler, GatedSigner, NoiseSigner, gate_at
from tests.auditor import audit
from tests.items import message_item, process_item

pytestmark = pytest.mark.embedded


NOON = 1_700_000_000_000
NOWHERE = Id(bytes(32))


@pytest.fixture
def spawns(user_wallet, wallet):
    """Six processes that name our wallet."""
    return [process_item(user_wallet, wallet.address, Name=str(number)) for number in range(6)]


def test_an_unknown_process_is_not_found(opened) -> None:
    """Looking up a process that the store does not know answers so, and starts nothing."""
    registry = opened().registry
    with pytest.raises(NotFound):
        registry.find(NOWHERE).get(timeout=PATIENCE)
    assert registry.processes().get(timeout=PATIENCE) == []


def test_a_process_can_be_found_before_its_first_message(opened, spawns) -> None:
    """With `create` an actor is there to be told the message that begins it."""
    registry = opened().registry
    first = verify(spawns[0])
    ref = registry.find(first.process, create=True).get(timeout=PATIENCE)
    ticket = Ticket(inf)
    ref.tell(Submit(first, ticket))
    assert ticket.stored.get(timeout=PATIENCE).slot == 0
    assert registry.find(first.process).get(timeout=PATIENCE) is ref


@pytest.mark.guarantee("S10")
def test_a_large_message_can_be_told_to_its_actor(opened, spawns, user_wallet) -> None:
    """Its bytes are on the disk before its slot is given, whoever brings it."""
    scheduler = opened()
    process = scheduler.assign(spawns[0]).process
    large = verify(message_item(user_wallet, process, data=bytes(2_000_000)))
    tickets = [Ticket(inf), Ticket(inf)]
    for ticket in tickets:
        actor(scheduler, process).tell(Submit(large, ticket))
    assert [ticket.stored.get(timeout=PATIENCE).slot for ticket in tickets] == [1, 1]
    assert scheduler.message(large.message_id).encoded == large.encoded


def test_a_large_message_may_follow_a_process_that_is_not_pinned(
    opened, gate, spawns, user_wallet
) -> None:
    """A process that is live is known, though the store does not know it yet."""
    scheduler = opened(probe=gate_at(Point.BEFORE_PIN_COMMIT, gate))
    first = scheduler.schedule(spawns[0])
    gate.wait_for_arrival()
    process = verify(spawns[0]).process
    second = scheduler.schedule(message_item(user_wallet, process, data=bytes(2_000_000)))
    # The actor has looked at it once it answers.
    assert ask(scheduler, process, Info()).slot >= 0
    gate.open()
    assert [ticket.stored.get(timeout=PATIENCE).slot for ticket in (first, second)] == [0, 1]


def test_a_large_message_for_a_process_that_has_not_begun_is_not_kept(
    opened, root, spawns, user_wallet
) -> None:
    """An actor that waits for its process's own message writes nothing for others."""
    registry = opened().registry
    process = verify(spawns[0]).process
    waiting = registry.find(process, create=True).get(timeout=PATIENCE)
    early = Ticket(inf)
    waiting.tell(Submit(verify(message_item(user_wallet, process, data=bytes(2_000_000))), early))
    with pytest.raises(NotFound):
        early.stored.get(timeout=PATIENCE)
    assert not list(root.glob("shard-*/bodies/*/*"))


@pytest.mark.guarantee("L1")
def test_a_ticket_of_one_s_own_ends_with_the_scheduler(opened, gate, spawns) -> None:
    """Who tells an actor a message with a ticket made by hand is answered after a fence too."""
    scheduler = opened(signer=GatedSigner(gate))
    first = verify(spawns[0])
    ref = scheduler.registry.find(first.process, create=True).get(timeout=PATIENCE)
    mine = [Ticket(inf), Ticket(inf)]
    ref.tell(Submit(first, mine[0]))
    scheduler.registry.actor_ref.tell(Submit(first, mine[1]))
    assert ask(scheduler, first.process, Info()).outstanding == 1
    scheduler._scheduling.fenced(RuntimeError("told to fail"))
    for ticket in mine:
        with pytest.raises(OutcomeUnknown):
            ticket.published.get(timeout=PATIENCE)


@pytest.mark.guarantee("L1")
def test_a_ticket_of_one_s_own_ends_at_its_deadline(opened, gate, spawns) -> None:
    """Its deadline is kept though the scheduler did not make it."""
    scheduler = opened(signer=GatedSigner(gate))
    first = verify(spawns[0])
    ref = scheduler.registry.find(first.process, create=True).get(timeout=PATIENCE)
    mine = Ticket(time.monotonic() + 0.1)
    ref.tell(Submit(first, mine))
    with pytest.raises((OutcomeUnknown, DeadlineExpired)):
        mine.published.get(timeout=PATIENCE)


def test_a_process_says_where_it_stands(opened, spawns) -> None:
    """`Info` answers with the slots given, stored and outstanding."""
    scheduler = opened()
    process = scheduler.assign(spawns[0]).process
    info = ask(scheduler, process, Info())
    assert (info.process, info.slot, info.stored, info.outstanding) == (process, 0, 0, 0)


def test_an_actor_drops_other_messages(opened, spawns, caplog) -> None:
    """What an actor does not know is logged, asked or told, and the actor lives on."""
    scheduler = opened()
    process = scheduler.assign(spawns[0]).process
    for ref in (actor(scheduler, process), scheduler.registry.actor_ref):
        ref.tell("nonsense")
        assert ref.ask("nonsense", timeout=PATIENCE) is None
    assert ask(scheduler, process, Info()).slot == 0
    assert scheduler.status().fenced is None
    assert caplog.text.count("Unexpected message") == 4


def test_the_registry_knows_its_wallet(opened, wallet) -> None:
    """People who build on the actors find the first wallet there."""
    assert opened().registry.wallet().get(timeout=PATIENCE).address == wallet.address


@pytest.mark.guarantee("S13")
def test_two_first_messages_start_one_actor(opened, spawns) -> None:
    """However many callers begin a process at the same moment, one actor gives its slot 0."""
    scheduler = opened()
    ready = threading.Barrier(8)
    tickets = []

    def begin() -> None:
        ready.wait(PATIENCE)
        tickets.append(scheduler.schedule(spawns[0]))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len({ticket.stored.get(timeout=PATIENCE) for ticket in tickets}) == 1
    assert len(pykka.ActorRegistry.get_by_class(ProcessActor)) == 1


def test_idle_processes_are_put_to_rest(opened, spawns) -> None:
    """Past the limit the least recently used process leaves memory, and comes back when needed."""
    scheduler = opened(max_live_processes=2)
    processes = [scheduler.assign(spawn).process for spawn in spawns[:2]]
    oldest = actor(scheduler, processes[0])
    scheduler.assign(spawns[2])
    assert oldest.actor_stopped.wait(PATIENCE)
    assert ask(scheduler, processes[0], Info()).slot == 0
    assert actor(scheduler, processes[0]) is not oldest


@pytest.mark.guarantee("L2")
def test_a_process_that_cannot_begin_displaces_nobody(opened, spawns, user_wallet) -> None:
    """Processes of other schedulers, and malformed ones, never get an actor."""
    scheduler = opened(max_live_processes=1)
    process = scheduler.assign(spawns[0]).process
    foreign = process_item(user_wallet, user_wallet.address)
    odd = process_item(user_wallet, user_wallet.address, Scheduler="nobody")
    for item in (foreign, odd):
        with pytest.raises(NotOurProcess):
            scheduler.assign(item)
    assert live(scheduler) == [process]
    assert len(pykka.ActorRegistry.get_by_class(ProcessActor)) == 1


def test_using_a_process_keeps_it_alive(opened, spawns, user_wallet) -> None:
    """A message makes its process the most recently used one."""
    scheduler = opened(max_live_processes=2)
    first, second = (scheduler.assign(spawn).process for spawn in spawns[:2])
    idle = actor(scheduler, second)
    scheduler.assign(message_item(user_wallet, first))
    scheduler.assign(spawns[2])
    assert idle.actor_stopped.wait(PATIENCE)
    assert first in live(scheduler)


def test_a_process_with_work_outstanding_stays(opened, gate, spawns) -> None:
    """A process is never put to rest while one of its slots is not stored."""
    scheduler = opened(max_live_processes=1, signer=GatedSigner(gate))
    tickets = [scheduler.schedule(spawn) for spawn in spawns[:2]]
    gate.wait_for_arrival()
    busy = verify(spawns[0]).process
    # Its answer comes after it was asked to leave, and the registry's after it refused.
    assert ask(scheduler, busy, Info()).outstanding == 1
    assert busy in live(scheduler)
    gate.open()
    assert [ticket.stored.get(timeout=PATIENCE).slot for ticket in tickets] == [0, 0]


def test_an_actor_that_retired_passes_messages_on(opened, gate, spawns, user_wallet) -> None:
    """A message that was told before its actor learned to leave goes to the next one."""
    hold = threading.Event()

    def clock() -> int:
        if not hold.is_set():
            return NOON
        hold.clear()
        gate.pass_through()
        return NOON + 2 * MAX_JUMP_MS

    scheduler = opened(clock=clock)
    # Receipts read the clock as well: from here on nobody but the actor does.
    process = scheduler.assign(spawns[0], Stage.PUBLISHED).process
    leaving = actor(scheduler, process)
    hold.set()
    refused, crossing = scheduler.schedule(message_item(user_wallet, process, 1)), Ticket(inf)
    gate.wait_for_arrival()
    leaving.tell(Passivate())
    leaving.tell(Submit(verify(message_item(user_wallet, process, 2)), crossing))
    gate.open()
    assert crossing.stored.get(timeout=PATIENCE).slot == 1
    assert isinstance(refused.assigned.error, ClockAhead)
    assert leaving.actor_stopped.wait(PATIENCE)


@pytest.mark.guarantee("S13")
@pytest.mark.guarantee("L2")
def test_passivation_under_load_loses_nothing(opened, root, spawns) -> None:
    """Many processes share two actors, and every message gets its one slot, in its turn."""
    with opened(max_live_processes=2, signer=NoiseSigner(), uploader=Bundler()) as scheduler:
        processes = [scheduler.assign(spawn).process for spawn in spawns]
        sent = [message(str(number), processes[number % 6]) for number in range(600)]
        tickets = [[] for _ in range(3)]

        def send(mine: list[Ticket]) -> None:
            mine.extend(scheduler.schedule(each) for each in sent)

        threads = [threading.Thread(target=send, args=(mine,)) for mine in tickets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        answers = [[ticket.stored.get(timeout=PATIENCE) for ticket in mine] for mine in tickets]
    assert answers[0] == answers[1] == answers[2]
    assert [answer.slot for answer in answers[0]] == [1 + number // 6 for number in range(600)]
    with open_readers(root) as reader:
        found = audit(reader, unique=True)
    assert {process: len(run) for process, run in found.items()} == dict.fromkeys(processes, 101)
    assert all(found[each.process][each.slot] == each for each in answers[0])


def test_a_late_farewell_does_not_end_the_next_actor(opened, gate, spawns, user_wallet) -> None:
    """What an actor told before it was replaced says nothing about the one that came after."""
    with opened() as scheduler:
        processes = [scheduler.assign(spawn).process for spawn in spawns[:2]]
    scheduler = opened(max_live_processes=1, probe=gate_at(Point.SLOT_GIVEN, gate))
    gone = actor(scheduler, processes[0])
    gone.tell(Passivate())
    assert gone.actor_stopped.wait(PATIENCE)
    first = scheduler.schedule(message_item(user_wallet, processes[0], 1))
    gate.wait_for_arrival()
    scheduler.schedule(message_item(user_wallet, processes[1]))
    scheduler.registry.actor_ref.tell(Retired(processes[0], gone))
    second = scheduler.schedule(message_item(user_wallet, processes[0], 2))
    assert len(live(scheduler)) == 2
    gate.open()
    assert [ticket.stored.get(timeout=PATIENCE).slot for ticket in (first, second)] == [1, 2]


def test_an_actor_that_dies_idle_is_replaced(opened, spawns, user_wallet, caplog) -> None:
    """A fault in an actor without slots in the air costs nothing but the actor."""
    scheduler = opened()
    process = scheduler.assign(spawns[0]).process
    dying = actor(scheduler, process)
    dying.tell(fault())
    assert dying.actor_stopped.wait(PATIENCE)
    assert scheduler.assign(message_item(user_wallet, process)).slot == 1
    assert scheduler.status().fenced is None
    assert "'NoneType' object has no attribute" in caplog.text


@pytest.mark.guarantee("S1")
def test_an_actor_that_dies_with_slots_in_the_air_fences(opened, gate, spawns) -> None:
    """Nobody knows what it gave: the scheduler stops, and reopening finds the truth."""
    scheduler = opened(signer=GatedSigner(gate))
    ticket = scheduler.schedule(spawns[0])
    gate.wait_for_arrival()
    actor(scheduler, verify(spawns[0]).process).tell(fault())
    with pytest.raises(OutcomeUnknown):
        ticket.assigned.get(timeout=PATIENCE)
    gate.open()
    scheduler.close()
    assert opened().assign(spawns[0]).slot == 0


def fault() -> Submit:
    """What no actor survives."""
    return Submit(None, Ticket(inf))


def actor(scheduler, process: Id) -> pykka.ActorRef[ProcessActor]:
    return scheduler.registry.find(process).get(timeout=PATIENCE)


def ask(scheduler, process: Id, question):
    return actor(scheduler, process).ask(question, timeout=PATIENCE)


def live(scheduler) -> list[Id]:
    return scheduler.registry.processes().get(timeout=PATIENCE)
