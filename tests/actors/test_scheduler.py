from __future__ import annotations

import threading

import pytest

from actors import SchedulingMode, Stage
from actors.probe import Point
from protocol.assignment import ZERO_HASH, Block
from protocol.errors import (
    ClockAhead,
    Closed,
    Duplicate,
    InvalidId,
    InvalidSignature,
    MalformedItem,
    NoTarget,
    NotFound,
    NotOurProcess,
    SchedulingDisabled,
    StoreInUse,
    WalletMissing,
)
from protocol.ids import Id, combine
from protocol.message import Message, verify
from storage import open_readers
from tests.actors.outside import PATIENCE, Bundler, Gate, GatedSigner
from tests.auditor import audit
from tests.items import message_item, process_item

NOWHERE = Id(bytes(32))


@pytest.fixture
def spawn(user_wallet, wallet):
    """A process that names our wallet."""
    return process_item(user_wallet, wallet.address)


@pytest.fixture
def scheduler(opened):
    return opened()


@pytest.fixture
def process(scheduler, spawn):
    """A process with its own message stored."""
    return scheduler.assign(spawn).process


@pytest.fixture
def hello(user_wallet, process):
    return message_item(user_wallet, process, 1)


@pytest.mark.guarantee("L1")
def test_a_message_passes_three_stages(scheduler, process, hello) -> None:
    """The three futures complete one after the other, with the same assignment."""
    ticket = scheduler.schedule(hello)
    assigned = ticket.assigned.get(timeout=PATIENCE)
    stored = ticket.stored.get(timeout=PATIENCE)
    published = ticket.published.get(timeout=PATIENCE)
    assert assigned == stored == published == scheduler.assignment(process, 1)


def test_a_process_starts_its_own_schedule(scheduler, spawn) -> None:
    """A message of type Process is slot 0 of the process that has its ID."""
    first = scheduler.assign(spawn)
    assert first.slot == 0
    assert first.process == first.message_id == verify(spawn).message_id


def test_an_assignment_says_what_it_is(scheduler, process, hello) -> None:
    """It names its process, slot and message, carries its link, and is signed by our wallet."""
    assignment = scheduler.assign(hello)
    assert (assignment.process, assignment.slot) == (process, 1)
    assert assignment.message_id == verify(hello).message_id
    assert (len(assignment.link), len(str(assignment.id))) == (43, 43)
    assert (assignment.epoch, assignment.block) == ("0", Block(0, 0, ZERO_HASH))
    assert [each.committer for each in assignment.commitments] == list(scheduler.status().addresses)


def test_items_go_in_in_any_form(scheduler, user_wallet, process) -> None:
    """Bytes, a decoded message and a verified one are the same message."""
    item = message_item(user_wallet, process, 1)
    answers = {scheduler.assign(form) for form in (item, Message.decode(item), verify(item))}
    assert len(answers) == 1


def test_bytes_may_come_in_any_container(scheduler, hello) -> None:
    """What a socket or a mapped file gives is as good as bytes."""
    answers = {scheduler.assign(form) for form in (hello, bytearray(hello), memoryview(hello))}
    assert len(answers) == 1


@pytest.mark.parametrize("thing", ["text", None, 7, object(), [b""]])
def test_what_is_no_item_ends_the_ticket(scheduler, thing) -> None:
    """Scheduling anything raises nothing: all three futures say that it is no message."""
    ticket = scheduler.schedule(thing)
    for stage in Stage:
        assert isinstance(ticket.future(stage).error, MalformedItem)
    assert scheduler.status().queued == 0


def test_a_message_keeps_its_own_path(scheduler, user_wallet, process) -> None:
    """A path other than compute goes into the assignment."""
    item = message_item(user_wallet, process, 1, path="credit-notice")
    assert scheduler.assign(item).path == b"credit-notice"


def test_reads_answer_from_the_store(scheduler, process, hello) -> None:
    """Slot, latest, assignment, message and processes are what was stored."""
    stored = scheduler.assign(hello)
    assert scheduler.slot(process) == scheduler.slot(str(process)) == 1
    assert scheduler.latest(process) == scheduler.assignment(str(process), 1) == stored
    assert scheduler.message(stored.message_id).encoded == hello
    assert scheduler.processes() == [process]


def test_a_page_is_a_run_of_slots(scheduler, user_wallet, process) -> None:
    """Both ends of the range are included, and only stored slots are in it."""
    for number in range(3):
        scheduler.assign(message_item(user_wallet, process, number))
    assert slots(scheduler.page(process)) == ([0, 1, 2, 3], False)
    assert slots(scheduler.page(process, 1, 2)) == ([1, 2], False)
    assert slots(scheduler.page(process, from_slot=3, to_slot=99)) == ([3], False)
    assert slots(scheduler.page(process, 9)) == ([], False)


def test_what_is_not_there_is_not_found(scheduler, process) -> None:
    """An unknown process, slot or message is `NotFound`, and no slot is below 0."""
    for slot in (1, -1):
        with pytest.raises(NotFound):
            scheduler.assignment(process, slot)
    for read in (scheduler.slot, scheduler.latest, scheduler.page, scheduler.message):
        with pytest.raises(NotFound):
            read(NOWHERE)


def test_a_slot_without_receipt_is_told_from_no_slot(opened, gate, spawn) -> None:
    """None says that a stored slot waits for its receipt; what is not stored is `NotFound`."""
    scheduler = opened(uploader=Bundler(gate))
    process = scheduler.assign(spawn).process
    assert scheduler.receipt(process, 0) is None
    for unknown in ((process, 1), (process, -1), (process, 2**64), (NOWHERE, 0)):
        with pytest.raises(NotFound):
            scheduler.receipt(*unknown)


@pytest.mark.parametrize("bound", [-(2**64), -1, 2**63, 2**64, 2**300])
def test_any_number_bounds_a_page(scheduler, process, bound) -> None:
    """A bound outside the schedule is taken for its end."""
    all_of_it = ([0], False)
    assert slots(scheduler.page(process, bound)) == (all_of_it if bound < 0 else ([], False))
    assert slots(scheduler.page(process, 0, bound)) == (all_of_it if bound > 0 else ([], False))


def test_what_is_no_slot_is_a_mistake_of_the_caller(scheduler, process) -> None:
    """A slot is a whole number: nothing else is taken for one, whoever reads."""
    for thing in (None, 1.0, "0", object()):
        for read in (scheduler.assignment, scheduler.receipt, scheduler.page, scheduler.backfill):
            with pytest.raises(TypeError, match="integer"):
                read(process, thing)


@pytest.mark.parametrize("thing", [None, 1.5, 7, b"bytes", object()])
def test_what_is_neither_id_nor_text_is_named(scheduler, thing) -> None:
    """A value of another type is no ID either."""
    for read in (scheduler.slot, scheduler.latest, scheduler.page, scheduler.message):
        with pytest.raises(InvalidId):
            read(thing)


def test_a_text_that_is_no_id_is_named(scheduler) -> None:
    """IDs are taken in their 43-character form, strictly."""
    with pytest.raises(InvalidId):
        scheduler.slot("not an ID")


@pytest.mark.parametrize(
    ("mode", "gated", "published"),
    [("local_confirmation", True, False), (SchedulingMode.REMOTE_CONFIRMATION, False, True)],
)
def test_the_mode_names_the_stage_that_assign_waits_for(
    opened, gate, spawn, mode, gated, published
) -> None:
    """Local confirmation does not wait for the bundler, remote confirmation does."""
    scheduler = opened(mode=mode, uploader=Bundler(gate if gated else None))
    process = scheduler.assign(spawn).process
    assert scheduler.slot(process) == 0
    assert (scheduler.receipt(process, 0) is not None) is published


@pytest.mark.guarantee("S6")
def test_aggressive_does_not_wait_for_the_commitment(opened, gate, spawn) -> None:
    """An aggressive answer comes once the slot is pinned, before its signature is stored."""
    pinned = Gate()

    def probe(point: Point) -> None:
        if point is Point.AFTER_PIN_COMMIT:
            pinned.open()
        if point is Point.BEFORE_COMMITMENT_COMMIT:
            gate.pass_through()

    scheduler = opened(mode="aggressive", signer=GatedSigner(pinned), probe=probe)
    assignment = scheduler.assign(spawn)
    with pytest.raises(NotFound):
        scheduler.slot(assignment.process)
    gate.open()
    assert scheduler.assign(spawn, Stage.STORED) == assignment


def test_one_call_may_wait_for_another_stage(opened, spawn) -> None:
    """A caller can ask for more than the mode does."""
    scheduler = opened(mode="aggressive")
    process = scheduler.assign(spawn, Stage.PUBLISHED).process
    assert scheduler.receipt(process, 0) is not None


@pytest.mark.guarantee("S5")
def test_a_receipt_names_what_the_bundler_said(opened, spawn) -> None:
    """The receipt holds the acknowledgement of the message and of the assignment."""
    bundler = Bundler()
    scheduler = opened(uploader=bundler)
    published = scheduler.schedule(spawn).published.get(timeout=PATIENCE)
    items = dict(scheduler.receipt(published.process, 0).items)
    assert items == {each: f"got {each}" for each in (published.message_id, published.id)}
    assert bundler.taken[published.message_id] == spawn


@pytest.mark.guarantee("S9")
def test_disabled_reads_and_refuses_to_schedule(opened, scheduler, process, hello) -> None:
    """Without a wallet a store can be read; everything that would write is refused."""
    stored = scheduler.assign(hello)
    scheduler.close()
    reader = opened((), mode="disabled")
    assert reader.latest(process) == stored
    assert (reader.status().mode, reader.status().processes) == ("disabled", 1)
    assert isinstance(reader.schedule(hello).published.error, SchedulingDisabled)
    for act in (reader.assign, reader.backfill):
        with pytest.raises(SchedulingDisabled):
            act(hello)
    with pytest.raises(SchedulingDisabled):
        _ = reader.registry


@pytest.mark.guarantee("S13")
def test_a_message_that_comes_again_gets_its_slot_again(scheduler, hello) -> None:
    """The same slot and the same bytes, however far the first one got, and in the next run."""
    first = scheduler.schedule(hello)
    again = [scheduler.schedule(hello) for _ in range(5)]
    expected = first.stored.get(timeout=PATIENCE)
    assert {ticket.stored.get(timeout=PATIENCE) for ticket in again} == {expected}
    assert scheduler.assign(hello) == expected
    assert scheduler.schedule(hello).published.get(timeout=PATIENCE) == expected


@pytest.mark.guarantee("S13")
def test_many_callers_send_the_same_message(scheduler, process, hello) -> None:
    """However concurrently it is sent, it takes one slot."""
    ready = threading.Barrier(8)
    answers = []

    def send() -> None:
        ready.wait(PATIENCE)
        answers.append(scheduler.assign(hello))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(answers) == 8
    assert set(answers) == {scheduler.latest(process)}
    assert scheduler.slot(process) == 1


@pytest.mark.guarantee("S13")
def test_duplicates_may_be_allowed(opened, spawn, user_wallet) -> None:
    """Each time a message comes it takes a new slot, as HyperBEAM does."""
    scheduler = opened(duplicates="allow")
    hello = message_item(user_wallet, scheduler.assign(spawn).process)
    assert [scheduler.assign(hello).slot for _ in range(3)] == [1, 2, 3]


@pytest.mark.guarantee("S13")
def test_duplicates_may_be_refused(opened, spawn, user_wallet) -> None:
    """A message that has a slot is refused, as the legacy scheduler does."""
    scheduler = opened(duplicates="reject")
    hello = message_item(user_wallet, scheduler.assign(spawn).process)
    scheduler.assign(hello)
    with pytest.raises(Duplicate, match="slot 1"):
        scheduler.assign(hello)


def test_several_wallets_sign_in_the_order_of_the_process(
    opened, wallet, second_wallet, user_wallet
) -> None:
    """An assignment has one commitment per named wallet, and its ID is the sum of theirs."""
    scheduler = opened([wallet, second_wallet])
    both = f"{second_wallet.address},{wallet.address}"
    assignment = scheduler.assign(process_item(user_wallet, wallet.address, Scheduler=both))
    signers = [commitment.committer for commitment in assignment.commitments]
    assert signers == [second_wallet.address, wallet.address]
    assert assignment.id == combine(commitment.id for commitment in assignment.commitments)
    assert not scheduler.verify(assignment.process).problems


def test_a_process_whose_wallet_is_missing_is_read_only(
    opened, wallet, second_wallet, user_wallet, spawn
) -> None:
    """It is read as ever, and refuses what is new; other processes go on."""
    with opened([wallet, second_wallet]) as scheduler:
        process = scheduler.assign(process_item(user_wallet, second_wallet.address)).process
    scheduler = opened(wallet)
    assert scheduler.slot(process) == 0
    with pytest.raises(WalletMissing, match=str(second_wallet.address)):
        scheduler.assign(message_item(user_wallet, process))
    assert scheduler.assign(spawn).slot == 0


@pytest.mark.guarantee("S10")
def test_bad_input_gets_its_named_error_and_leaves_nothing(
    scheduler, process, hello, user_wallet, second_wallet
) -> None:
    """Whatever is refused is refused in all three futures, and takes no slot."""
    forged = hello[:600] + bytes([hello[600] ^ 1]) + hello[601:]
    refused = {
        b"": MalformedItem,
        hello[:-1]: InvalidSignature,
        forged: InvalidSignature,
        hello[:1000]: MalformedItem,
        message_item(user_wallet, NOWHERE): NotFound,
        message_item(user_wallet, process, target=""): NoTarget,
        message_item(user_wallet, process, target="nobody"): InvalidId,
        process_item(user_wallet, second_wallet.address): NotOurProcess,
    }
    for item, error in refused.items():
        ticket = scheduler.schedule(item)
        for stage in Stage:
            with pytest.raises(error):
                ticket.future(stage).get(timeout=PATIENCE)
    assert scheduler.slot(process) == 0
    assert scheduler.processes() == [process]
    assert scheduler.status().queued == 0


@pytest.mark.guarantee("S8")
def test_the_clock_is_obeyed_within_reason(opened, spawn, user_wallet) -> None:
    """A clock that goes back holds time still; one that jumps two days ahead is refused."""
    day, readings = 24 * 3600 * 1000, [1_700_000_000_000]
    scheduler = opened(clock=lambda: readings[-1])
    process = scheduler.assign(spawn).process
    readings.append(readings[0] - day)
    assert scheduler.assign(message_item(user_wallet, process, 1)).timestamp == readings[0]
    readings.append(readings[0] + 2 * day)
    with pytest.raises(ClockAhead):
        scheduler.assign(message_item(user_wallet, process, 2))
    readings.append(readings[0] + 1)
    assert scheduler.assign(message_item(user_wallet, process, 2)).timestamp == readings[0] + 1


@pytest.mark.guarantee("S9")
def test_a_second_writer_is_refused(opened, scheduler, process) -> None:
    """A store has one scheduler at a time, and the first one goes on."""
    with pytest.raises(StoreInUse):
        opened()
    assert scheduler.slot(process) == 0


@pytest.mark.guarantee("S2")
@pytest.mark.guarantee("S3")
def test_a_schedule_goes_on_after_reopening(opened, root, spawn, user_wallet) -> None:
    """The next run gives the next slot, and the chain goes on where it was."""
    with opened() as scheduler:
        process = scheduler.assign(spawn).process
        hello = message_item(user_wallet, process, 1)
        first = scheduler.assign(hello)
    with opened() as scheduler:
        assert scheduler.assign(hello) == first
        assert scheduler.assign(message_item(user_wallet, process, 2)).slot == 2
    with open_readers(root) as reader:
        assert [each.slot for each in audit(reader, unique=True)[process]] == [0, 1, 2]


def test_large_messages_are_scheduled_like_small_ones(scheduler, process, user_wallet) -> None:
    """Around the size from which a message is a file of its own nothing changes for callers."""
    for number, size in enumerate((999_000, 1_000_000, 1_030_000, 2_000_000), start=1):
        item = message_item(user_wallet, process, number, data=bytes(size))
        assert scheduler.assign(item).slot == number
        assert scheduler.message(verify(item).message_id).encoded == item


@pytest.mark.usefixtures("process")
def test_the_status_says_where_it_stands(scheduler, wallet) -> None:
    """Mode, wallets, processes and what is under way."""
    status = scheduler.status()
    assert (status.mode, status.addresses) == ("local_confirmation", (wallet.address,))
    assert (status.processes, status.queued, status.under_way) == (1, 0, 0)
    assert (status.stuck, status.unfit, status.fenced) == ({}, {}, None)
    assert status.commits > 0


def test_a_closed_scheduler_knows_what_it_was(scheduler, wallet) -> None:
    """Closed, it answers from memory; the store is not asked any more."""
    scheduler.close()
    status = scheduler.status()
    assert (status.mode, status.addresses) == ("local_confirmation", (wallet.address,))
    assert (status.processes, status.unpublished, status.fenced) == (None, None, None)


@pytest.mark.usefixtures("process")
def test_a_closed_reader_is_closed(opened, scheduler, hello) -> None:
    """A disabled scheduler that was closed says so, as any other does."""
    scheduler.close()
    reader = opened((), mode="disabled")
    reader.close()
    with pytest.raises(Closed):
        reader.schedule(hello)
    assert (reader.status().mode, reader.status().processes) == ("disabled", None)
    assert repr(reader).endswith("closed>")


def test_the_repr_shows_the_state(scheduler, root) -> None:
    """A scheduler in a log says which store it holds, and whether it is closed."""
    assert repr(scheduler) == f"<Scheduler {root} local_confirmation>"
    scheduler.close()
    assert repr(scheduler) == f"<Scheduler {root} closed>"


def slots(page) -> tuple[list[int], bool]:
    return [assignment.slot for assignment in page.assignments], page.more
