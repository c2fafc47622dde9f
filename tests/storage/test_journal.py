"""What every journal promises, shown for the durable one and for the one in memory."""

from __future__ import annotations

import pytest

from protocol.errors import Closed, Fenced, IdCollision, NotFound
from storage import Batch, Body, Head, Totals, Work, read_all
from tests.storage.conftest import World
from tests.storage.schedules import SIGNER, Schedule, random_id, receipt


@pytest.mark.guarantee("S4")
def test_what_was_appended_is_there_after_reopening(world: World, schedule: Schedule) -> None:
    """Pins, signatures, messages and receipts of an acknowledged batch are all read back."""
    batch = schedule.published(3)
    world.journal.append(batch)
    process = schedule.process
    for look in (lambda: world.journal, world.reopen):
        journal = look()
        assert journal.page(process, 0, None).assignments == tuple(batch.signed)
        assert [journal.assignment(process, slot) for slot in range(3)] == batch.signed
        assert journal.latest(process) == batch.signed[2]
        assert journal.pinned(process, 0, 2) == [pin.assignment for pin in batch.pins]
        assert [journal.body(m) for m in schedule.messages] == [pin.body for pin in batch.pins]
        assert [journal.slot_of(process, m) for m in schedule.messages] == [0, 1, 2]
        assert [journal.receipt(process, slot) for slot in range(3)] == batch.receipts


def test_the_head_tells_where_a_process_stands(world: World, schedule: Schedule) -> None:
    """The head has the highest pinned, stored and published slots, and the last pin's values."""
    world.journal.append(schedule.published(2))
    world.journal.append(schedule.stored(1))
    world.journal.append(schedule.pinned(1))
    last = schedule.pins[-1].assignment
    terms = schedule.pins[0].terms
    expected = Head(schedule.process, terms, 3, 2, 1, last.link, last.timestamp, last.block)
    assert world.journal.head(schedule.process) == expected
    assert world.reopen().head(schedule.process) == expected


def test_the_totals_count_the_slots_of_all_processes(world: World, schedule: Schedule) -> None:
    """How many are pinned, stored and published, after a restart, too."""
    assert world.journal.totals() == Totals(0, 0, 0)
    world.journal.append(schedule.published(2))
    world.journal.append(schedule.stored(1))
    world.journal.append(Schedule().pinned(1))
    assert world.journal.totals() == world.reopen().totals() == Totals(4, 3, 2)


def test_a_signature_is_read_back_under_its_own_device(world: World) -> None:
    """One wallet signs under several devices; each signature keeps the scheme of its own."""
    found = set()
    for device in ("ans104@1.0", "httpsig@1.0"):
        schedule = Schedule(device=device)
        world.journal.append(schedule.stored(1))
        (made,) = world.reopen().latest(schedule.process).commitments
        found.add((made.device, made.type))
    assert found == {("ans104@1.0", "rsa-pss-sha256"), ("httpsig@1.0", "rsa-pss-sha512")}


@pytest.mark.guarantee("S2")
def test_only_the_stored_prefix_is_served(world: World, schedule: Schedule) -> None:
    """A pinned slot without its signature does not exist for readers, but its message has it."""
    journal = world.journal
    journal.append(schedule.stored(2))
    journal.append(schedule.pinned(1))
    assert journal.latest(schedule.process).slot == 1
    assert [a.slot for a in journal.page(schedule.process, 0, 9).assignments] == [0, 1]
    with pytest.raises(NotFound):
        journal.assignment(schedule.process, 2)
    assert journal.pinned(schedule.process, 2, 9) == [schedule.pins[2].assignment]
    assert journal.slot_of(schedule.process, schedule.messages[2]) == 2


def test_a_process_without_a_stored_slot_has_no_latest(world: World, schedule: Schedule) -> None:
    """Before slot 0 is stored there is nothing to serve, though the process is known."""
    world.journal.append(schedule.pinned(1))
    with pytest.raises(NotFound):
        world.journal.latest(schedule.process)
    assert world.journal.page(schedule.process, 0, None).assignments == ()
    assert world.journal.head(schedule.process).stored == -1


def test_several_signers_keep_their_order(world: World) -> None:
    """Every signer's commitment is kept, in the order in which the process names them."""
    schedule = Schedule(owners=(b"x" * 512, b"a" * 512))
    batch = schedule.stored(2)
    world.journal.append(batch)
    assert world.reopen().page(schedule.process, 0, None).assignments == tuple(batch.signed)


def test_signatures_may_come_later_than_pins(world: World, schedule: Schedule) -> None:
    """What was pinned in one batch is stored by another, even after reopening."""
    pins = schedule.pinned(2).pins
    world.journal.append(Batch(pins=pins))
    signed = [schedule.sign(pin.assignment) for pin in pins]
    world.reopen().append(Batch(signed=signed))
    assert world.journal.page(schedule.process, 0, None).assignments == tuple(signed)


def test_one_batch_serves_many_processes(world: World) -> None:
    """Entries of several processes in one batch each continue their own chain."""
    schedules = [Schedule() for _ in range(5)]
    pins = [schedule.pin() for _ in range(3) for schedule in schedules]
    world.journal.append(Batch(pins=pins))
    assert [world.journal.head(schedule.process).pinned for schedule in schedules] == [2] * 5


def test_an_empty_batch_changes_nothing(world: World, schedule: Schedule) -> None:
    """Nothing to write is not an error."""
    world.journal.append(schedule.stored(1))
    before = world.journal.head(schedule.process)
    world.journal.append(Batch())
    assert world.journal.head(schedule.process) == before


@pytest.mark.guarantee("S13")
def test_the_index_keeps_the_first_slot(world: World, schedule: Schedule) -> None:
    """A message that is assigned again is still found at its first slot, and is kept once."""
    world.journal.append(schedule.stored(2))
    again = schedule.messages[1]
    body = schedule.pins[1].body
    within = [schedule.pin(again, body=body), schedule.pin(again, body=body)]
    world.journal.append(Batch(pins=within))
    assert world.journal.slot_of(schedule.process, again) == 1
    assert world.reopen().slot_of(schedule.process, again) == 1
    assert world.journal.body(again) == body


def test_two_processes_may_hold_the_same_message(world: World) -> None:
    """The index is per process; the message's bytes are shared."""
    first, second = Schedule(), Schedule()
    message_id, body = random_id(), Body("ans104", b"shared")
    for schedule in (first, second):
        world.journal.append(Batch(pins=[schedule.pin(), schedule.pin(message_id, body=body)]))
    assert world.journal.slot_of(first.process, message_id) == 1
    assert world.journal.slot_of(second.process, message_id) == 1
    assert world.journal.slot_of(first.process, second.process) is None


@pytest.mark.parametrize("within_batch", [True, False])
def test_other_bytes_under_a_known_id_are_fenced(world: World, within_batch: bool) -> None:
    """A message ID that is taken by other bytes stops the store, and nothing is written."""
    schedule, message_id = Schedule(), random_id()
    world.journal.append(schedule.stored(1))
    one = schedule.pin(message_id, body=Body("ans104", b"one"))
    two = schedule.pin(message_id, body=Body("ans104", b"two"))
    if not within_batch:
        world.journal.append(Batch(pins=[one]))
    with pytest.raises(Fenced, match="other bytes"):
        world.journal.append(Batch(pins=[one, two] if within_batch else [two]))
    assert world.reopen().head(schedule.process).pinned == (0 if within_batch else 1)


def test_same_body_compares_without_writing(world: World, schedule: Schedule) -> None:
    """A free ID and the same bytes are fine; other bytes or another codec are not."""
    world.journal.append(schedule.stored(1))
    body = schedule.pins[0].body
    assert world.journal.same_body(random_id(), body)
    assert world.journal.same_body(schedule.process, body)
    assert not world.journal.same_body(schedule.process, Body("ans104", b"other"))
    assert not world.journal.same_body(schedule.process, Body("httpsig", body.encoded))


def test_a_place_is_the_first_slot_or_free_for_exactly_these_bytes(
    world: World, schedule: Schedule
) -> None:
    """What another process holds may get a slot of one's own, but not with other bytes."""
    world.journal.append(schedule.stored(1))
    body, stranger = schedule.pins[0].body, random_id()
    assert world.journal.place(schedule.process, schedule.process, body) == 0
    assert world.journal.place(stranger, schedule.process, body) is None
    assert world.journal.place(stranger, random_id(), body) is None
    with pytest.raises(IdCollision):
        world.journal.place(stranger, schedule.process, Body("ans104", b"other"))


def test_work_lists_what_is_left_to_do(world: World) -> None:
    """A process is listed exactly while something pinned is unsigned, or stored unpublished."""
    done, unsigned, unpublished, both = (Schedule() for _ in range(4))
    world.journal.append(done.published(2))
    world.journal.append(unsigned.published(1))
    world.journal.append(unsigned.pinned(1))
    world.journal.append(unpublished.stored(1))
    world.journal.append(both.stored(1))
    world.journal.append(both.pinned(1))
    expected = [
        Work(unsigned.process, 1, None),
        Work(unpublished.process, None, 0),
        Work(both.process, 1, 0),
    ]
    by_key = sorted(expected, key=lambda work: work.process)
    assert world.journal.work() == by_key
    assert world.reopen().work(limit=1) == by_key[:1]
    assert world.journal.work(after=by_key[0].process) == by_key[1:]
    world.journal.append(Batch(receipts=[receipt(unpublished.process, 0)]))
    assert Work(unpublished.process, None, 0) not in world.journal.work()


def test_processes_come_in_pages(world: World) -> None:
    """Processes are listed in key order, a page after another, and counted without a scan."""
    schedules = [Schedule() for _ in range(7)]
    for schedule in schedules:
        world.journal.append(schedule.pinned(1))
    ordered = sorted(schedule.process for schedule in schedules)
    assert world.journal.processes() == ordered
    assert world.journal.processes(limit=3) == ordered[:3]
    assert world.journal.processes(after=ordered[2], limit=3) == ordered[3:6]
    assert world.journal.processes(after=ordered[-1]) == []
    assert world.journal.process_count() == 7
    assert list(read_all(world.journal)) == ordered


@pytest.mark.parametrize(
    ("bounds", "slots", "more"),
    [
        ((0, None, 1000), [0, 1, 2, 3, 4], False),
        ((1, 3, 1000), [1, 2, 3], False),
        ((0, None, 2), [0, 1], True),
        ((3, None, 2), [3, 4], False),
        ((2, 99, 5000), [2, 3, 4], False),
        ((-3, 0, 5), [0], False),
        ((5, None, 5), [], False),
        ((3, 1, 5), [], False),
    ],
)
def test_pages_are_bounded(world: World, bounds, slots, more) -> None:
    """A page holds the stored slots of its range up to its limit, and tells whether it goes on."""
    schedule = Schedule()
    world.journal.append(schedule.stored(5))
    page = world.journal.page(schedule.process, *bounds)
    assert ([assignment.slot for assignment in page.assignments], page.more) == (slots, more)


def test_what_is_unknown_is_not_found(world: World, schedule: Schedule) -> None:
    """Unknown processes, slots and messages are NotFound; look-ups by message answer None."""
    world.journal.append(schedule.stored(1))
    journal, stranger = world.journal, random_id()
    for ask in (
        lambda: journal.head(stranger),
        lambda: journal.latest(stranger),
        lambda: journal.page(stranger, 0, None),
        lambda: journal.pinned(stranger, 0, 1),
        lambda: journal.body(stranger),
        lambda: journal.assignment(schedule.process, 1),
        lambda: journal.assignment(schedule.process, -1),
    ):
        with pytest.raises(NotFound):
            ask()
    assert journal.slot_of(stranger, schedule.process) is None
    assert journal.slot_of(schedule.process, stranger) is None
    assert journal.receipt(schedule.process, 0) is None


def test_a_closed_journal_refuses(world: World, schedule: Schedule) -> None:
    """After close, which may be called twice, every method says that it is closed."""
    world.journal.close()
    world.journal.close()
    for use in (
        lambda: world.journal.append(schedule.stored(1)),
        lambda: world.journal.append(Batch()),
        lambda: world.journal.head(SIGNER),
        lambda: world.journal.require_space(1),
        lambda: world.journal.keep_body(SIGNER, Body("ans104", b"")),
    ):
        with pytest.raises(Closed):
            use()
