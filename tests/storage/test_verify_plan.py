"""Work is cut into pieces that cover everything once, and only as it is needed."""

from __future__ import annotations

import os
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.ids import Id
from storage.verify.plan import PAGES_AHEAD, Plan
from storage.verify.report import Findings
from storage.verify.tasks import (
    PART_SLOTS,
    Batch,
    Foundation,
    Outcome,
    Page,
    Part,
    Size,
    Survey,
    batches,
)

PROCESS = Id(os.urandom(32))


def page(*sizes: int, after: Id | None = None) -> Page:
    processes = [Id(number.to_bytes(32, "big")) for number in range(len(sizes))]
    return Page(0, [*map(Size, processes, sizes)], after, sum(sizes))


def parts_of(slots: int) -> list[Part]:
    return [part for batch in batches(page(slots)) for part in batch.parts]


@given(st.lists(st.integers(0, 4 * PART_SLOTS), max_size=5))
def test_every_slot_is_in_one_part(sizes: list[int]) -> None:
    """No slot is left out, and none is checked twice."""
    covered = [
        (part.process, slot)
        for batch in batches(page(*sizes))
        for part in batch.parts
        for slot in range(part.first, part.last + 1)
    ]
    expected = [(size.process, slot) for size in page(*sizes).sizes for slot in range(size.slots)]
    assert covered == expected


@given(st.integers(1, 9 * PART_SLOTS), st.binary(min_size=32, max_size=32))
def test_every_message_is_in_one_share(slots: int, message_id: bytes) -> None:
    """Whatever its ID, its index entry belongs to exactly one part."""
    shares = [part for part in parts_of(slots) if part.after < message_id <= part.until]
    assert len(shares) == 1


def test_the_lowest_and_the_highest_message_are_in_a_share() -> None:
    """The ends of the range belong to the first and to the last part."""
    parts = parts_of(3 * PART_SLOTS)
    assert parts[0].after < bytes(32)
    assert parts[-1].until == b"\xff" * 32


def test_small_processes_travel_together() -> None:
    """A hundred thousand processes are a few hundred tasks."""
    tasks = list(batches(page(*[1] * 100_000)))
    assert len(tasks) == -(-100_000 // PART_SLOTS)
    assert {task.slots for task in tasks[:-1]} == {PART_SLOTS}


def test_a_long_process_is_cut_as_it_is_checked() -> None:
    """Tasks are made one by one: a process of any length takes no memory."""
    first, second = islice(batches(page(10**15)), 2)
    assert [part.first for part in first.parts + second.parts] == [0, PART_SLOTS]


def test_surveys_run_ahead_of_the_work_by_a_bounded_number() -> None:
    """However many heads there are, only a few pages are in memory."""
    plan = Plan(1, None)
    assert plan.next() == Survey(0)
    for _ in range(PAGES_AHEAD):
        plan.take_in(Outcome(page=page(1, after=PROCESS)))
        last = plan.next()
    assert last == Foundation(0)
    assert isinstance(plan.next(), Batch)
    assert isinstance(plan.next(), Batch)
    assert plan.next() == Survey(0, PROCESS)


def test_a_plan_for_one_process_is_only_about_that() -> None:
    """Neither the file nor other heads are looked at, in any shard."""
    plan = Plan(2, PROCESS)
    assert [plan.next(), plan.next(), plan.next()] == [
        Survey(0, only=PROCESS),
        Survey(1, only=PROCESS),
        None,
    ]


def test_a_plan_counts_what_is_done() -> None:
    """The total is known after the first survey of each shard, and does not grow by the next."""
    plan = Plan(1, None)
    plan.take_in(Outcome(page=page(3, 4, after=PROCESS)))
    plan.take_in(Outcome(page=page(5)))
    assert (plan.done, plan.total) == (0, 7)
    plan.take_in(Outcome(Findings(), slots=9))
    assert (plan.done, plan.total) == (9, 9)


@pytest.mark.parametrize("count", [1, 3])
def test_a_batch_is_split_into_its_parts(count: int) -> None:
    """What cannot be split any further is not tried again."""
    (batch,) = batches(page(*[1] * count))
    smaller = batch.split()
    assert [part for task in smaller for part in task.parts] == (
        list(batch.parts) if count > 1 else []
    )


def test_tasks_say_what_they_are_about() -> None:
    """A task that could not be done is named to a person."""
    (batch,) = batches(page(2, 1))
    first = batch.parts[0].process
    assert str(batch) == f"slots 0..1 of process {first} and 1 more"
    assert str(Survey(0, PROCESS)) == f"the heads of shard 0 above {PROCESS}"
    assert str(Foundation(1)) == "the file of shard 1"
