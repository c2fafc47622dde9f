from __future__ import annotations

import pytest

from actors.settings import PublishSettings, Settings
from actors.uploader import FolderUploader
from protocol.errors import NotFound, UploadFailed, UploadRefused
from protocol.message import verify
from tests.actors.outside import PATIENCE, Bundler, Gate
from tests.items import message_item, process_item

QUICK = Settings(publish=PublishSettings(backoff_seconds=0.001))
"""Tries again at once."""

AWAY = UploadFailed("away")


@pytest.fixture
def spawn(user_wallet, wallet):
    return process_item(user_wallet, wallet.address)


@pytest.fixture
def bundler():
    return Bundler()


@pytest.mark.guarantee("L3")
def test_publication_resumes_after_a_restart(opened, bundler, spawn, user_wallet) -> None:
    """What the last run could not publish is published by the next one, in slot order."""
    bundler.refuse = lambda _: AWAY
    with opened(uploader=bundler) as scheduler:
        process = scheduler.assign(spawn).process
        hello = message_item(user_wallet, process)
        scheduler.assign(hello)
        assert [work.process for work in scheduler.pending()] == [process]
        assert scheduler.status().unpublished == 1
    bundler.refuse = acknowledge
    scheduler = opened(uploader=bundler)
    published = scheduler.schedule(hello).published.get(timeout=PATIENCE)
    assert scheduler.pending() == []
    assert [scheduler.receipt(process, slot).slot for slot in (0, 1)] == [0, 1]
    assert bundler.taken[published.message_id] == hello


@pytest.mark.guarantee("L3")
@pytest.mark.guarantee("S5")
def test_a_bundler_that_comes_back_is_tried_again(opened, bundler, spawn, warned) -> None:
    """A failed upload delays the answer, never the slot, and is reported each time."""
    failures = iter([AWAY] * 5)
    bundler.refuse = lambda _: next(failures, None)
    scheduler = opened(uploader=bundler, settings=QUICK)
    ticket = scheduler.schedule(spawn)
    process = ticket.published.get(timeout=PATIENCE).process
    assert scheduler.slot(process) == 0
    assert warned().count("upload_failed") == 5


@pytest.mark.guarantee("L3")
def test_a_refused_item_is_stuck_and_the_others_go_on(
    opened, bundler, spawn, user_wallet, wallet
) -> None:
    """One item that the bundler refuses holds up its process's publication and nothing else."""
    refused = verify(spawn).message_id
    bundler.refuse = lambda item: UploadRefused("never") if item.id == refused else None
    scheduler = opened(uploader=bundler)
    scheduler.assign(spawn)
    hello = message_item(user_wallet, refused)
    assert scheduler.assign(hello).slot == 1
    other = scheduler.schedule(process_item(user_wallet, wallet.address, Name="other"))
    other.published.get(timeout=PATIENCE)
    assert scheduler.status().stuck == {refused: (0, "never")}
    assert scheduler.receipt(refused, 0) is None


def test_nothing_passes_an_unpublished_slot(opened, bundler, spawn, user_wallet) -> None:
    """Slots after one that fails wait, and follow it in order when it gets through."""
    held = Gate()
    process = verify(spawn).message_id
    later = [message_item(user_wallet, process, number) for number in range(5)]
    bundler.refuse = lambda item: None if held.is_open or item.id != process else AWAY
    scheduler = opened(uploader=bundler, settings=QUICK)
    tickets = [scheduler.schedule(item) for item in (spawn, *later)]
    for ticket in tickets:
        ticket.stored.get(timeout=PATIENCE)
    assert [scheduler.receipt(process, slot) for slot in range(6)] == [None] * 6
    held.open()
    published = [ticket.published.get(timeout=PATIENCE).slot for ticket in tickets]
    assert published == [0, 1, 2, 3, 4, 5]


def test_publishing_does_not_hold_up_scheduling(opened, gate, spawn, user_wallet) -> None:
    """While the bundler takes its time, slots are given and stored."""
    scheduler = opened(uploader=Bundler(gate))
    process = scheduler.assign(spawn).process
    tickets = [scheduler.schedule(message_item(user_wallet, process, n)) for n in range(5)]
    assert [ticket.stored.get(timeout=PATIENCE).slot for ticket in tickets] == [1, 2, 3, 4, 5]
    assert not any(ticket.published.done for ticket in tickets)
    gate.open()
    for ticket in tickets:
        ticket.published.get(timeout=PATIENCE)


def test_backfill_uploads_again_what_is_published(opened, bundler, spawn, user_wallet) -> None:
    """A bundler that lost items gets them again; their receipts stay as they are."""
    scheduler = opened(uploader=bundler)
    process = scheduler.assign(spawn).process
    hello = message_item(user_wallet, process)
    scheduler.schedule(hello).published.get(timeout=PATIENCE)
    receipts = [scheduler.receipt(process, slot) for slot in (0, 1)]
    bundler.taken.clear()
    assert scheduler.backfill(process) == 2
    assert len(bundler.taken) == 4
    bundler.taken.clear()
    assert scheduler.backfill(process, from_slot=1) == 1
    assert set(bundler.taken.values()) >= {hello}
    assert scheduler.backfill(process, from_slot=2) == 0
    assert [scheduler.receipt(process, slot) for slot in (0, 1)] == receipts


def test_backfill_says_what_the_bundler_does_not_take(opened, bundler, spawn) -> None:
    """The caller of a backfill gets the bundler's refusal."""
    scheduler = opened(uploader=bundler)
    process = scheduler.schedule(spawn).published.get(timeout=PATIENCE).process
    bundler.refuse = lambda _: UploadRefused("never")
    with pytest.raises(UploadRefused):
        scheduler.backfill(process)
    with pytest.raises(NotFound):
        scheduler.backfill(bytes(32).hex()[:43])


def test_by_default_items_lie_in_a_folder_of_the_store(opened, root, spawn) -> None:
    """The embedded uploader publishes beside the store, in bundles."""
    published = opened().schedule(spawn).published.get(timeout=PATIENCE)
    items = dict(FolderUploader(root / "published").items())
    assert items[published.message_id] == spawn
    assert published.id in items


def test_slots_that_come_during_an_upload_travel_together(
    opened, bundler, gate, spawn, user_wallet
) -> None:
    """While an upload is under way the next slots gather, and are offered in one call."""
    bundler.gate = gate
    patient = Settings(publish=PublishSettings(gather_seconds=4 * PATIENCE))
    scheduler = opened(uploader=bundler, settings=patient)
    process = scheduler.assign(spawn).process
    gate.wait_for_arrival()
    tickets = [scheduler.schedule(message_item(user_wallet, process, n)) for n in range(5)]
    for ticket in tickets:
        ticket.stored.get(timeout=PATIENCE)
    gate.open()
    for ticket in tickets:
        ticket.published.get(timeout=PATIENCE)
    assert bundler.offers == [1, 1, 5, 5]


@pytest.mark.guarantee("L2")
def test_more_processes_than_fit_in_memory_are_published(
    opened, bundler, gate, user_wallet, wallet
) -> None:
    """What the outbox has no room for waits in the store, and is read once there is room."""
    bundler.gate = gate
    few = Settings(publish=PublishSettings(max_lanes=2, workers=1, chunk=1))
    scheduler = opened(uploader=bundler, settings=few)
    spawns = [process_item(user_wallet, wallet.address, Name=str(n)) for n in range(9)]
    tickets = [scheduler.schedule(spawn) for spawn in spawns]
    for ticket in tickets:
        ticket.stored.get(timeout=PATIENCE)
    gate.open()
    for ticket in tickets:
        ticket.published.get(timeout=PATIENCE)
    assert scheduler.pending() == []


def acknowledge(_) -> None:
    return None
