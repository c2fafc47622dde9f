"""Processes whose slots build on each other's signatures, by a real scheduler."""

from __future__ import annotations

import time
from math import inf
from types import SimpleNamespace

import pytest

from actors import Info, Scheduler, Stage, Submit, Ticket
from actors.probe import Point
from protocol.assignment import LEGACY_VARIANT
from protocol.codecs import ans104
from protocol.codecs.assignment import verify as verify_assignment
from protocol.codecs.carrier import carried_by
from protocol.codecs.wire import Wire
from protocol.errors import DeadlineExpired, OutcomeUnknown, UnsupportedValue
from protocol.ids import Id
from protocol.message import Message, verify
from tests.actors.outside import PATIENCE, Bundler, Gate, GatedSigner, gate_at
from tests.auditor import audit
from tests.items import message_item, process_item

SERIAL = {"scheduler_chain": "base-hashpath"}
HTTPSIG = {"scheduler_commitment_spec": "httpsig@1.0"}
LEGACY = {"Variant": LEGACY_VARIANT}
KINDS = {"serial": SERIAL, "httpsig": HTTPSIG, "both": SERIAL | HTTPSIG, "legacy": LEGACY}
MESSAGES = 12


@pytest.fixture
def spawned(user_wallet, wallet):
    """Make a process that asks for something, and messages for it."""

    def make(asked: dict[str, str], scheduler=wallet.address):
        spawn = process_item(user_wallet, scheduler, **asked)
        process = verify(spawn).process
        return process, [spawn, *(message_item(user_wallet, process, n) for n in range(MESSAGES))]

    return make


@pytest.mark.guarantee("S2", "S3", "S13")
@pytest.mark.parametrize("asked", KINDS.values(), ids=KINDS)
def test_every_kind_of_process_is_scheduled(opened, spawned, asked) -> None:
    """Sent all at once, messages get slots in their order, chained, signed, stored, published."""
    process, items = spawned(asked)
    scheduler = opened()
    tickets = [scheduler.schedule(item) for item in [*items, *items]]
    told = [ticket.published.get(timeout=PATIENCE) for ticket in tickets]
    assert [each.slot for each in told] == [*range(MESSAGES + 1)] * 2
    assert [each.message_id for each in told] == [verify(item).message_id for item in items] * 2
    assert audit(scheduler.store, unique=True)[process] == told[: MESSAGES + 1]
    for assignment in told:
        verify_assignment(assignment)
    report = scheduler.verify()
    assert report.ok, report.problems


@pytest.mark.guarantee("S3")
@pytest.mark.parametrize("asked", KINDS.values(), ids=KINDS)
def test_a_schedule_of_any_kind_goes_on_after_reopening(opened, spawned, asked) -> None:
    """The first slot of a new life follows from the last one of the life before."""
    _, items = spawned(asked)
    first = opened()
    for item in items[:3]:
        first.assign(item)
    first.close()
    second = opened()
    assert [second.assign(item).slot for item in items] == [*range(MESSAGES + 1)]
    audit(second.store, unique=True)


@pytest.mark.guarantee("S6")
@pytest.mark.parametrize("asked", [SERIAL, LEGACY])
def test_a_serial_slot_is_shown_to_nobody_before_it_is_stored(opened, spawned, gate, asked) -> None:
    """ASSIGNED comes with STORED: what a crash would sign anew is no link in anybody's hands."""
    _, items = spawned(asked)
    scheduler = opened(probe=gate_at(Point.BEFORE_COMMITMENT_COMMIT, gate), mode="aggressive")
    ticket = scheduler.schedule(items[0])
    gate.wait_for_arrival()
    assert not ticket.assigned.done
    gate.open()
    ticket.future(Stage.ASSIGNED).get(timeout=PATIENCE)
    assert ticket.stored.done


@pytest.mark.embedded
@pytest.mark.guarantee("S3")
@pytest.mark.parametrize("asked", [SERIAL, LEGACY])
def test_a_slot_is_given_once_the_one_before_is_stored(opened, spawned, gate, asked) -> None:
    """While the signer has slot 0, there is no slot 1, and the actor answers all the same."""
    process, items = spawned(asked)
    scheduler = opened(signer=GatedSigner(gate))
    tickets = [scheduler.schedule(item) for item in items]
    gate.wait_for_arrival()
    info = actor_of(scheduler, process).ask(Info(), timeout=PATIENCE)
    assert (info.slot, info.outstanding) == (0, 1)
    gate.open()
    assert [ticket.stored.get(timeout=PATIENCE).slot for ticket in tickets] == [*range(13)]


@pytest.mark.embedded
@pytest.mark.guarantee("L1")
def test_who_waits_for_a_turn_still_expires(opened, spawned, gate) -> None:
    """A message that was not taken up by its deadline is never assigned; it can come again."""
    process, items = spawned(SERIAL)
    scheduler = opened(signer=GatedSigner(gate))
    scheduler.schedule(items[0])
    gate.wait_for_arrival()
    ticket = Ticket(time.monotonic() + 0.1)
    actor_of(scheduler, process).tell(Submit(verify(items[1]), ticket))
    with pytest.raises(DeadlineExpired):
        ticket.stored.get(timeout=PATIENCE)
    gate.open()
    assert scheduler.assign(items[2]).slot == 1
    assert scheduler.assign(items[1]).slot == 2


@pytest.mark.embedded
@pytest.mark.guarantee("S13", "L1")
def test_an_actor_that_dies_leaves_the_line_to_the_next(opened, spawned, gate) -> None:
    """With nothing in the air, those who waited for a turn get their slots from a fresh actor."""
    process, items = spawned(SERIAL)
    scheduler = opened(signer=GatedSigner(gate))
    tickets = [scheduler.schedule(items[0])]
    gate.wait_for_arrival()
    # Whoever is told of a stored slot holds up the committer, before the actor hears of it.
    landing = Gate()
    tickets[0].stored.add_done_callback(lambda _: landing.pass_through())
    tickets += [scheduler.schedule(item) for item in items[1:]]
    actor = actor_of(scheduler, process)
    assert actor.ask(Info(), timeout=PATIENCE).outstanding == 1
    gate.open()
    landing.wait_for_arrival()
    poison = Ticket(inf)
    actor.tell(Submit(SimpleNamespace(encoded=b""), poison))
    with pytest.raises(OutcomeUnknown):
        poison.stored.get(timeout=PATIENCE)
    landing.open()
    assert [ticket.stored.get(timeout=PATIENCE).slot for ticket in tickets] == [*range(13)]


@pytest.mark.guarantee("L2")
def test_a_process_with_messages_in_line_stays(opened, spawned, gate) -> None:
    """It is not put to rest while anybody waits for a turn, however many others are live."""
    process, items = spawned(SERIAL)
    scheduler = opened(signer=GatedSigner(gate), max_live_processes=1)
    tickets = [scheduler.schedule(item) for item in items]
    gate.wait_for_arrival()
    other, others = spawned({"Name": "other"})
    tickets.append(scheduler.schedule(others[0]))
    gate.open()
    told = [ticket.stored.get(timeout=PATIENCE) for ticket in tickets]
    assert [each.slot for each in told if each.process == process] == [*range(13)]
    assert told[-1].process == other


def test_the_node_decides_what_a_process_leaves_open(opened, spawned) -> None:
    """Chain rule and commitment device of new processes are the scheduler's to choose."""
    process, items = spawned({})
    scheduler = opened(chain="base-hashpath", commitment_device="httpsig@1.0")
    scheduler.assign(items[0])
    terms = scheduler.terms(process)
    assert (terms.chain, terms.device) == ("base-hashpath", "httpsig@1.0")
    assert scheduler.verify().ok
    scheduler.close()
    # Another choice is for other processes.
    again = opened()
    assert again.assign(items[1]).commitments[0].device == "httpsig@1.0"
    assert again.verify().ok


@pytest.mark.parametrize("wrong", [{"chain": "legacy"}, {"commitment_device": "json@1.0"}])
def test_what_is_not_built_cannot_be_chosen(opened, wrong) -> None:
    """An operator hears of it when opening, and nothing is created."""
    with pytest.raises(ValueError, match="is one of"):
        opened(**wrong)


@pytest.mark.guarantee("S3")
def test_several_wallets_sign_one_chain(opened, spawned, wallet, second_wallet) -> None:
    """The link of a slot is made of all the signatures of the one before."""
    for asked in KINDS.values():
        both = f"{second_wallet.address},{wallet.address}"
        process, items = spawned(asked | {"Scheduler": both})
        scheduler = opened((wallet, second_wallet))
        for item in items[:4]:
            signed = scheduler.assign(item)
            assert [each.committer for each in signed.commitments] == [
                second_wallet.address,
                wallet.address,
            ]
        assert scheduler.verify(process).ok
        scheduler.close()


@pytest.mark.guarantee("S5")
def test_what_is_no_data_item_is_published_inside_one(opened, spawned, user_wallet, wallet) -> None:
    """Message and assignment, each in an item of the process's wallet; the receipt names all."""
    process, items = spawned(HTTPSIG)
    bundler = Bundler()
    scheduler = opened(uploader=bundler)
    scheduler.assign(items[0])
    keys = {"type": "Message", "target": str(process), "action": "Ping", "data": "hello"}
    message = Message.create(keys, user_wallet, codec="httpsig")
    assignment = scheduler.schedule(message).published.get(timeout=PATIENCE)
    receipt = scheduler.receipt(process, 1)
    assert receipt is not None
    carriers = dict(receipt.carriers)
    assert [each for each, _ in receipt.items] == [message.id, assignment.id] == [*carriers]
    for carried in carriers:
        item = ans104.parse(bundler.taken[carriers[carried]])
        assert item.verify()
        assert item.owner_address == wallet.address
        assert carried_by(item).id == carried
        Wire.parse(item.data)
    inside = carried_by(ans104.parse(bundler.taken[carriers[message.id]])).content
    assert Message.decode(inside, "httpsig").id == message.id
    assert scheduler.entry(process, 1).message.encoded == inside
    assert scheduler.verify().ok


def test_a_path_that_its_device_cannot_carry_is_refused(opened, spawned, user_wallet) -> None:
    """Where the path would stand in a header, a line break in it is refused; elsewhere not."""
    for asked, refused in ((HTTPSIG, True), (SERIAL, False)):
        process, items = spawned(asked)
        scheduler = opened()
        scheduler.assign(items[0])
        odd = message_item(user_wallet, process, path="a\nb")
        if refused:
            with pytest.raises(UnsupportedValue):
                scheduler.assign(odd)
            assert scheduler.slot(process) == 0
        else:
            assert scheduler.assign(odd).path == b"a\nb"
        scheduler.close()


def actor_of(scheduler: Scheduler, process: Id):
    return scheduler.registry.find(process).get(timeout=PATIENCE)
