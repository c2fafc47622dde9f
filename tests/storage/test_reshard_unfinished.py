"""A resharding that is interrupted is finished or given up; in between nobody writes."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path

import pytest

from protocol.errors import NeedsAdoption, StoreInvalid, Unavailable
from storage import (
    LmdbReader,
    StoreSettings,
    adopt,
    open_readers,
    open_writer,
    opening,
    stored_shards,
)
from storage.manifest import Manifest
from storage.reshard import Outcome, Step, reshard
from storage.verify import Fault, Problem, Report, verify_store
from tests.storage.programs import Program, run
from tests.storage.resharding import (
    Interrupted,
    Interruption,
    content,
    leftovers,
    require_whole,
)
from tests.storage.schedules import Schedule

READ = """
import sys
from storage import open_readers, read_all

with open_readers(sys.argv[1]) as reader:
    found = [reader.pinned(process, 0, 9) for process in read_all(reader)]
    bodies = [reader.body(slot.message_id) for slots in found for slot in slots]
    print(len(found), len(bodies))
"""

VERIFY = """
import sys
from storage.verify import Fault, Problem, Report, verify_store
print(verify_store(sys.argv[1], workers=0).as_dict()["problems"])
"""

BACKUP = """
import sys
from storage import backup, open_readers
with open_readers(sys.argv[1]) as reader:
    backup(reader, sys.argv[2])
"""

RESHARD = """
import sys
from storage.reshard import reshard
reshard(sys.argv[1], int(sys.argv[2]), workers=0)
"""

STALE_BACKUP = """
import sys
from protocol.errors import Unavailable
from storage import backup, open_readers
with open_readers(sys.argv[1]) as reader:
    print("open", flush=True)
    input()
    try:
        backup(reader, sys.argv[2])
        print("copied", flush=True)
    except Unavailable as exc:
        print(exc.detail, flush=True)
    input()
"""


def interrupted(root: Path, shards: int, step: Step, done: int = 0) -> Interruption:
    """Begin to reshard, and leave it in the middle of a step."""
    interruption = Interruption(step, done)
    with pytest.raises(Interrupted):
        reshard(root, shards, workers=0, announce=interruption)
    return interruption


BEFORE = [Step.COPYING, Step.VERIFYING, Step.REPLACING]
"""Steps in which the old shards are in use, and the new ones begun."""


@pytest.mark.parametrize("step", BEFORE)
def test_an_unfinished_one_is_not_written_to(store: Path, step: Step) -> None:
    """It opens for writing with no number of shards; the refusal says what can be done."""
    interrupted(store, 4, step)
    for shards in (1, 4):
        with pytest.raises(StoreInvalid) as refused:
            open_writer(store, shards=shards)
        assert "`ao-scheduler reshard --shards 4` finishes it" in refused.value.detail
        assert "`ao-scheduler reshard --shards 1` gives it up" in refused.value.detail


@pytest.mark.parametrize("step", BEFORE)
def test_it_can_be_given_up_before_the_new_shards_are_in_use(store: Path, step: Step) -> None:
    """Asked for the number it has, the store is as it was, and opens for writing."""
    expected = content(store)
    interrupted(store, 4, step)
    assert reshard(store, 1) is Outcome.GIVEN_UP
    require_whole(store, 1, expected)


@pytest.mark.guarantee("S4")
@pytest.mark.parametrize("shards", [1, 4])
@pytest.mark.parametrize("step", [Step.VERIFYING, Step.REPLACING])
def test_one_that_was_killed_while_it_gave_up_is_not_gone_on_with(
    store: Path, step: Step, shards: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verified or not, new shards of which something is removed never take anybody's place."""
    expected = content(store)
    interrupted(store, 4, step)

    def begin_to_remove(folder: Path) -> None:
        (folder / "shard-000" / "data.mdb").unlink()
        raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", begin_to_remove)
        with pytest.raises(Interrupted):
            reshard(store, 1)
    assert reshard(store, shards, workers=0) is not Outcome.NOTHING
    require_whole(store, shards, expected)


def test_it_goes_only_forward_once_the_new_shards_are_in_use(store: Path) -> None:
    """While old shards are left, only finishing is offered; asked for them, they are made anew."""
    expected = content(store)
    interrupted(store, 4, Step.REMOVING)
    assert stored_shards(store) == 4
    with pytest.raises(StoreInvalid) as refused:
        open_writer(store, shards=4)
    assert "finishes it" in refused.value.detail
    assert "gives it up" not in refused.value.detail
    assert leftovers(store) == ["resharded-1/manifest.json", "resharding.json", "shard-000"]
    assert reshard(store, 4) is Outcome.DONE
    require_whole(store, 4, expected)
    interrupted(store, 2, Step.REMOVING, done=1)
    assert reshard(store, 4, workers=0) is Outcome.DONE
    require_whole(store, 4, expected)


@pytest.mark.parametrize("step", Step)
def test_it_is_finished_from_every_step(store: Path, step: Step) -> None:
    """The same command ends what was interrupted anywhere."""
    expected = content(store)
    interrupted(store, 4, step)
    assert reshard(store, 4, workers=0) is Outcome.DONE
    require_whole(store, 4, expected)


@pytest.mark.usefixtures("small_batches")
def test_copying_goes_on_where_it_stopped(store: Path) -> None:
    """No record is copied twice, however often copying is interrupted."""
    expected = content(store)
    done = 0
    while done < 70:
        *_, (_, reached, _) = interrupted(store, 3, Step.COPYING, done + 1).heard
        assert reached > done
        done = reached
    heard: list[tuple[Step, int, int]] = []
    reshard(store, 3, workers=0, announce=lambda *told: heard.append(told))
    assert heard[0] == (Step.COPYING, done, heard[0][2])
    assert [told for told in heard if told[0] is Step.COPYING][-1][1] == heard[0][2]
    require_whole(store, 3, expected)


def test_verified_shards_are_not_verified_again(store: Path) -> None:
    """What was verified before the interruption only takes the place of the old shards."""
    interrupted(store, 2, Step.REPLACING)
    steps: list[Step] = []
    reshard(store, 2, announce=lambda step, *_: steps.append(step))
    assert set(steps) == {Step.REPLACING, Step.REMOVING}


def test_another_number_is_refused_while_one_is_unfinished(store: Path) -> None:
    """What was copied is not thrown away by a mistyped number."""
    interrupted(store, 4, Step.VERIFYING)
    with pytest.raises(StoreInvalid, match="--shards 4` finishes it"):
        reshard(store, 3)
    assert reshard(store, 4, workers=0) is Outcome.DONE


@pytest.mark.parametrize("step", Step)
def test_it_is_read_verified_and_copied_meanwhile(store: Path, tmp_path: Path, step: Step) -> None:
    """In the middle of each step, other programs read all of the store, verify it and back it up.

    The copy is a whole store, of which nothing is unfinished.
    """
    expected = content(store)

    def look(now: Step, *_: int) -> None:
        if now is step:
            assert run(READ, store) == "10 20\n"
            assert run(VERIFY, store) == "[]\n"
            run(BACKUP, store, tmp_path / "copy")
            raise Interrupted

    with pytest.raises(Interrupted):
        reshard(store, 2, workers=0, announce=look)
    copy = tmp_path / "copy"
    shards = stored_shards(copy)
    assert shards == (2 if step is Step.REMOVING else 1)
    assert adopt(copy) == shards
    require_whole(copy, shards, expected)


def test_a_backup_of_replaced_shards_is_refused(store: Path, tmp_path: Path) -> None:
    """A reader from before the resharding does not make a copy that lacks large messages."""
    with Program(STALE_BACKUP, store, tmp_path / "copy") as program:
        assert program.line() == "open"
        reshard(store, 2, workers=0)
        program.go_on()
        assert program.line() == f"{store} was resharded meanwhile: open it again"
    assert not (tmp_path / "copy").exists()


@pytest.mark.guarantee("S12")
@pytest.mark.parametrize("step", BEFORE)
def test_a_copied_store_goes_on_only_after_adoption(
    store: Path, tmp_path: Path, step: Step
) -> None:
    """A store that was copied with an unfinished resharding in it is adopted first.

    Then everything is copied afresh: that the new shards are whole was true of other files.
    """
    expected = content(store)
    interrupted(store, 4, step)
    copy = tmp_path / "copy"
    shutil.copytree(store, copy)
    with pytest.raises(StoreInvalid, match="is being resharded"):
        open_writer(copy)
    with pytest.raises(NeedsAdoption, match="must be adopted first"):
        reshard(copy, 4)
    assert adopt(copy) == 1
    steps: list[Step] = []
    reshard(copy, 4, workers=0, announce=lambda step, *_: steps.append(step))
    assert list(dict.fromkeys(steps)) == list(Step)
    require_whole(copy, 4, expected)


@pytest.mark.guarantee("S12")
def test_a_store_that_needs_adoption_is_not_resharded(store: Path, tmp_path: Path) -> None:
    """New files must not make a copied store writable behind the operator's back."""
    copy = tmp_path / "copy"
    shutil.copytree(store, copy)
    with pytest.raises(NeedsAdoption, match="moved, restored or copied"):
        reshard(copy, 2)
    assert (stored_shards(copy), leftovers(copy)) == (1, [])


@pytest.mark.usefixtures("sloppy")
@pytest.mark.parametrize("step", [Step.COPYING, Step.REPLACING])
def test_what_was_copied_counts_for_nothing_once_the_store_was_written_to(
    store: Path, step: Step
) -> None:
    """If somebody removed the plan, wrote, and put it back, nothing of that is lost."""
    interrupted(store, 2, step)
    plan = (store / "resharding.json").read_bytes()
    (store / "resharding.json").unlink()
    late = Schedule()
    with open_writer(store) as journal:
        journal.append(late.pinned(1))
    (store / "resharding.json").write_bytes(plan)
    expected = content(store)
    assert reshard(store, 2) is Outcome.DONE
    assert content(store) == expected
    with open_readers(store) as reader:
        assert reader.head(late.process).pinned == 0


def test_a_strange_plan_is_not_followed(store: Path) -> None:
    """What is no plan, or the plan of another store, stops everything before it is touched."""
    (store / "resharding.json").write_text("{}")
    for begin in (open_writer, lambda root: reshard(root, 2)):
        with pytest.raises(StoreInvalid, match="is not the plan of a resharding"):
            begin(store)
    (store / "resharding.json").unlink()
    interrupted(store, 2, Step.COPYING)
    plan = (store / "resharding.json").read_text()
    (store / "resharding.json").write_text(plan.replace('"shards": 1', '"shards": 3'))
    with pytest.raises(StoreInvalid, match="plan of another store"):
        reshard(store, 2)
    assert verify_store(store, workers=0).ok


def test_a_verification_that_could_not_be_done_is_no_damage(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When workers are killed, what was copied stays, and verifying is tried again."""
    expected = content(store)
    unchecked = Problem(Fault.UNCHECKED, "a worker was ended by signal 9")
    found = Report(0, 0, 0, 0, 0, 0.0, (unchecked,), 1)
    with monkeypatch.context() as patch:
        patch.setattr("storage.reshard.run.verify_store", lambda *_, **__: found)
        with pytest.raises(Unavailable, match="ended by signal 9"):
            reshard(store, 2)
    assert reshard(store, 2, workers=0) is Outcome.DONE
    require_whole(store, 2, expected)


@pytest.mark.parametrize("shards", [1, 2])
def test_a_reader_opens_the_shards_that_took_their_place(store: Path, shards: int) -> None:
    """Shards that go while they are being opened are no missing shards: the new ones are read."""
    reshard(store, shards, workers=0)
    opened, calls = opening._reader, count()

    def late(root: Path, manifest: Manifest, shard: int, settings: StoreSettings) -> LmdbReader:
        if next(calls) == 0:
            run(RESHARD, store, 3)
        return opened(root, manifest, shard, settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "_reader", late)
        with open_readers(store) as reader:
            assert len(reader.readers) == 3
            assert reader.process_count() == 10


def test_a_reader_that_opened_the_old_shards_opens_again(store: Path) -> None:
    """Shards that go once they were opened are given up for the new ones."""
    opened, calls = opening._reader, count()

    def early(root: Path, manifest: Manifest, shard: int, settings: StoreSettings) -> LmdbReader:
        reader = opened(root, manifest, shard, settings)
        if next(calls) == 0:
            run(RESHARD, store, 2)
        return reader

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "_reader", early)
        with open_readers(store) as reader:
            assert len(reader.readers) == 2
