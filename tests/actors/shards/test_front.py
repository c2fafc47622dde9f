"""A scheduler that reaches its shard over the channel, and what happens when it does not."""

from __future__ import annotations

from queue import SimpleQueue

import pytest

from actors import Stage
from actors.load import Load
from actors.probe import Point
from actors.shards.front import Front
from actors.ticket import Ticket
from protocol.errors import (
    Closed,
    NotFound,
    OutcomeUnknown,
    PublicationPending,
    Recovering,
    UnsupportedValue,
)
from protocol.ids import Id
from protocol.message import verify
from tests.actors.cheap import assignment
from tests.actors.outside import PATIENCE, Bundler, Gate, GatedSigner, gate_at
from tests.actors.shards.lines import until
from tests.actors.shards.linked import assigned_again, codes
from tests.items import message_item

LATE = 0.05
NOWHERE = Id(bytes(32))


@pytest.fixture
def gate(link):  # noqa: ARG001 - so that the gate opens before the shard is closed
    """A gate that is open at the end."""
    gate = Gate()
    yield gate
    gate.open()


@pytest.mark.guarantee("L1")
def test_a_lost_connection_leaves_the_outcome_unknown(link, gate, spawn) -> None:
    """What was sent and not answered may have a slot; the same message asked again tells."""
    linked = link(signer=GatedSigner(gate))
    scheduler = linked.open()
    ticket = scheduler.schedule(spawn)
    gate.wait_for_arrival()
    linked.end_service()
    for stage in Stage:
        with pytest.raises(OutcomeUnknown):
            ticket.future(stage).get(timeout=PATIENCE)
    gate.open()
    linked.begin_service()
    assert assigned_again(scheduler, spawn).message_id == verify(spawn).message_id
    assert scheduler.slot(verify(spawn).message_id) == 0


def test_a_pinned_slot_stands_when_the_connection_is_lost(link, gate, spawn) -> None:
    """After ASSIGNED only STORED is unknown, and publication is still to come."""
    linked = link(probe=gate_at(Point.BEFORE_COMMITMENT_COMMIT, gate))
    scheduler = linked.open()
    ticket = scheduler.schedule(spawn)
    gate.wait_for_arrival()
    linked.end_service()
    with pytest.raises(OutcomeUnknown):
        ticket.stored.get(timeout=PATIENCE)
    pinned = ticket.assigned.error is None
    with pytest.raises(PublicationPending if pinned else OutcomeUnknown):
        ticket.published.get(timeout=PATIENCE)


def test_a_shard_that_is_away_is_recovering(link, spawn) -> None:
    """Nothing is assigned meanwhile, and when it is back the same message gets its slot."""
    linked = link()
    scheduler = linked.open()
    linked.end_service()
    while scheduler.status().shards[0].state == "ready":
        pass
    ticket = scheduler.schedule(spawn)
    for stage in Stage:
        assert isinstance(ticket.future(stage).error, Recovering)
    assert linked.shard.journal.process_count() == 0
    linked.begin_service()
    assert assigned_again(scheduler, spawn).slot == 0


def test_a_shard_that_closes_alone_is_recovering(link, spawn) -> None:
    """One that was signalled to end takes nothing more; the scheduler is not closed by that."""
    linked = link()
    scheduler = linked.open()
    linked.shard.close()
    ticket = scheduler.schedule(spawn)
    for stage in Stage:
        with pytest.raises(Recovering):
            ticket.future(stage).get(timeout=PATIENCE)
    assert not scheduler.closed


def test_stages_may_arrive_in_any_order(link, spawn) -> None:
    """A later stage includes those before it, also where it overtakes them on its way."""
    linked = link()
    reached = assignment()

    def submit(_message: object, ticket: Ticket) -> None:
        for stage in reversed(Stage):
            ticket.future(stage).complete(reached)

    linked.shard.submit = submit
    ticket = linked.open().schedule(spawn)
    for stage in Stage:
        assert ticket.future(stage).get(timeout=PATIENCE) == reached


def test_reads_go_on_while_a_shard_is_away(link, spawn) -> None:
    """Stored slots are read from the store, and no shard is asked."""
    linked = link()
    scheduler = linked.open()
    stored = scheduler.assign(spawn)
    linked.end_service()
    assert scheduler.latest(stored.process) == stored


@pytest.mark.guarantee("L1")
def test_a_silent_shard_costs_a_deadline_and_no_more(link, spawn) -> None:
    """A request ends by itself when its shard does not say anything."""
    linked = link()
    linked.shard.watch = lambda _ticket: None
    linked.shard.submit = lambda _message, _ticket: None
    with pytest.raises(OutcomeUnknown):
        linked.open(deadline=LATE).assign(spawn)


def test_deadlines_are_the_shards_to_judge(link, gate, user_wallet, spawn) -> None:
    """A request that its process never took up is known to be expired."""
    linked = link(probe=gate_at(Point.SLOT_GIVEN, gate))
    scheduler = linked.open(deadline=LATE)
    first = scheduler.schedule(spawn)
    gate.wait_for_arrival()
    later = scheduler.schedule(message_item(user_wallet, verify(spawn).message_id, 1))
    assert codes(first) == {"outcome_unknown"}
    assert codes(later) == {"deadline_expired"}


def test_who_has_more_patience_keeps_nobody_waiting(link, gate, user_wallet, spawn) -> None:
    """Programs with other deadlines share a shard: what expired takes no room in its queue."""
    linked = link(probe=gate_at(Point.SLOT_GIVEN, gate))
    linked.open().schedule(spawn)
    gate.wait_for_arrival()
    front = Front(linked.sockets, 1, linked.front.reader)
    assert front.start(PATIENCE)
    ticket = front.ticket(LATE)
    front.submit(verify(message_item(user_wallet, verify(spawn).message_id, 1)), ticket)
    assert codes(ticket) <= {"deadline_expired", "outcome_unknown"}
    until(lambda: linked.shard.queued == 1)
    front.close()


def test_followers_hear_each_slot_once(link, user_wallet, spawn) -> None:
    """Also what is stored while the shard cannot be reached, and nothing from before."""
    linked = link()
    scheduler = linked.open()
    process = scheduler.assign(spawn).process
    heard: SimpleQueue[int] = SimpleQueue()
    end = scheduler.subscribe(process, heard.put)
    scheduler.assign(message_item(user_wallet, process, 1))
    assert heard.get(timeout=PATIENCE) == 1
    linked.end_service()
    ticket = linked.shard.ticket(PATIENCE)
    linked.shard.submit(verify(message_item(user_wallet, process, 2)), ticket)
    ticket.stored.get(timeout=PATIENCE)
    linked.begin_service()
    assert heard.get(timeout=PATIENCE) == 2
    end()
    end()
    scheduler.assign(message_item(user_wallet, process, 3))
    assert linked.shard.announcer.followers == 0
    assert heard.empty()


def test_two_followers_share_one_subscription(link, user_wallet, spawn) -> None:
    """The shard tells a program once, and as long as one of its followers is left."""
    linked = link()
    scheduler = linked.open()
    process = scheduler.assign(spawn).process
    heard: SimpleQueue[int] = SimpleQueue()
    ends = [scheduler.subscribe(process, heard.put) for _ in range(2)]
    scheduler.assign(message_item(user_wallet, process, 1))
    assert [heard.get(timeout=PATIENCE) for _ in ends] == [1, 1]
    assert linked.shard.announcer.followers == 1
    ends[0]()
    scheduler.assign(message_item(user_wallet, process, 2))
    assert heard.get(timeout=PATIENCE) == 2


def test_questions_are_answered_by_the_shard(link, spawn) -> None:
    """Status, load and backfill, and what a question is refused with."""
    bundler = Bundler()
    linked = link(uploader=bundler)
    scheduler = linked.open()
    process = scheduler.schedule(spawn).published.get(timeout=PATIENCE).process
    (shard,) = scheduler.status().shards
    assert (shard.state, shard.generation, shard.commits) == ("ready", 1, scheduler.load().commits)
    assert scheduler.backfill(process) == 1
    assert sum(bundler.offers) > 2
    with pytest.raises(NotFound):
        scheduler.backfill(NOWHERE)
    with pytest.raises(UnsupportedValue):
        _ = scheduler.registry


def test_a_shard_that_is_away_is_named_in_the_status(link, wallet) -> None:
    """It is shown as recovering with what is known of it, and counts for nothing."""
    linked = link()
    scheduler = linked.open()
    linked.end_service()
    while (shard := scheduler.status().shards[0]).state == "ready":
        pass
    assert (shard.state, shard.generation, shard.pid) == ("recovering", 1, None)
    assert scheduler.status().addresses == (wallet.address,)
    assert scheduler.load() == Load()
    with pytest.raises(Recovering):
        scheduler.backfill(NOWHERE)


def test_shards_that_cannot_be_kept_running_close_the_scheduler(link, gate, spawn) -> None:
    """What is under way ends, and what comes after is told why."""
    linked = link(signer=GatedSigner(gate))
    scheduler = linked.open()
    ticket = scheduler.schedule(spawn)
    gate.wait_for_arrival()
    linked.front.fail(RuntimeError("shard 0 ended too often"))
    assert codes(ticket) == {"outcome_unknown"}
    assert scheduler.closed
    with pytest.raises(Closed, match="shard 0 ended too often"):
        scheduler.schedule(spawn)


def test_closing_waits_for_what_is_under_way(link, spawn) -> None:
    """A message that was accepted is stored before the connection is closed."""
    linked = link()
    scheduler = linked.open()
    ticket = scheduler.schedule(spawn)
    scheduler.close()
    scheduler.close()
    assert ticket.stored.get(timeout=0).slot == 0
    with pytest.raises(Closed):
        scheduler.schedule(spawn)
