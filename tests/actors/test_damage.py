from __future__ import annotations

import shutil

import pytest

from actors import Scheduler
from protocol.errors import CorruptRecord, NeedsAdoption, UploadFailed
from storage.adoption import adopt
from storage.tables import slot_key
from tests.actors.outside import PATIENCE, Bundler, leave_pinned
from tests.items import message_item, process_item
from tests.storage.tamper import flip

pytestmark = pytest.mark.guarantee("S12")


@pytest.fixture
def spawns(user_wallet, wallet):
    return [process_item(user_wallet, wallet.address, Name=name) for name in ("bad", "good")]


@pytest.fixture
def bundler():
    return Bundler()


@pytest.fixture
def processes(opened, bundler, spawns):
    """Two processes, stored and not published; the store is closed again."""
    bundler.refuse = lambda _: UploadFailed("away")
    with opened(uploader=bundler) as scheduler:
        processes = [scheduler.assign(spawn).process for spawn in spawns]
    bundler.refuse = lambda _: None
    return processes


@pytest.mark.parametrize("table", ["heads", "work"])
def test_a_damaged_process_is_refused_and_the_others_go_on(
    opened, root, processes, spawns, bundler, user_wallet, table
) -> None:
    """One flipped bit stops the process it belongs to, at most, and is reported."""
    damaged, sound = processes
    flip(root, table, damaged)
    scheduler = opened(uploader=bundler)
    assert scheduler.schedule(spawns[1]).published.get(timeout=PATIENCE).process == sound
    assert scheduler.assign(message_item(user_wallet, sound)).slot == 1
    assert scheduler.status().fenced is None
    if table == "heads":
        with pytest.raises(CorruptRecord) as caught:
            scheduler.assign(message_item(user_wallet, damaged))
        assert caught.value.process == damaged


def test_a_damaged_slot_is_not_published(opened, root, processes, spawns, bundler) -> None:
    """What does not match its digest is stuck, and named; the other process is published."""
    damaged, sound = processes
    flip(root, "slots", slot_key(damaged, 0))
    scheduler = opened(uploader=bundler)
    scheduler.schedule(spawns[1]).published.get(timeout=PATIENCE)
    with pytest.raises(CorruptRecord):
        scheduler.assign(spawns[0])
    assert damaged not in bundler.taken
    assert sound in bundler.taken


@pytest.mark.embedded
def test_a_damaged_pinned_slot_is_not_signed(
    opened, gate, root, processes, user_wallet, warned
) -> None:
    """Recovery reports the process and signs nothing of it; the others go on."""
    damaged, sound = processes
    leave_pinned(opened, gate, message_item(user_wallet, damaged))
    flip(root, "slots", slot_key(damaged, 1))
    scheduler = opened()
    assert scheduler.assign(message_item(user_wallet, sound)).slot == 1
    with pytest.raises(CorruptRecord) as caught:
        scheduler.assign(message_item(user_wallet, damaged))
    assert (caught.value.process, caught.value.slot) == (damaged, 1)
    assert scheduler.status().unfit == {damaged: "corrupt_record"}
    assert "process_unfit" in warned()


@pytest.mark.embedded
@pytest.mark.guarantee("S1")
def test_a_copied_store_is_read_only_until_adopted(
    opened, gate, root, processes, bundler, user_wallet, wallet
) -> None:
    """A copy signs nothing, not even what it holds pinned, and publishes nothing."""
    pinned = message_item(user_wallet, processes[0])
    leave_pinned(opened, gate, pinned)
    copy = root.with_name("copy")
    shutil.copytree(root, copy)
    with Scheduler.open(copy, wallet, uploader=bundler) as scheduler:
        assert scheduler.slot(processes[0]) == 0
        for item in (pinned, message_item(user_wallet, processes[1])):
            with pytest.raises(NeedsAdoption):
                scheduler.assign(item)
    assert bundler.taken == {}
    adopt(copy)
    with Scheduler.open(copy, wallet, uploader=bundler) as scheduler:
        assert scheduler.assign(pinned).slot == 1
