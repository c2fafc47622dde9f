from __future__ import annotations

import asyncio
import threading

import pytest
from pykka import Future, Timeout, get_all

from actors.futures import StageFuture
from protocol.errors import NotFound, OutcomeUnknown

PATIENCE = 10.0


@pytest.fixture
def future():
    return StageFuture()


def test_a_stage_future_is_a_pykka_future(future) -> None:
    """Whatever takes Pykka futures takes this one."""
    future.complete(1)
    assert isinstance(future, Future)
    assert get_all([future, future]) == [1, 1]


def test_the_value_can_be_read_again(future) -> None:
    """Getting a value does not use it up."""
    future.complete("value")
    assert [future.get(), future.get(timeout=0)] == ["value", "value"]


def test_none_is_a_value(future) -> None:
    """A future that completed with nothing is complete."""
    assert future.complete(None)
    assert future.done
    assert future.get(timeout=0) is None


def test_the_first_completion_wins(future) -> None:
    """Later values and errors are ignored, and their senders told so."""
    assert future.complete(1)
    assert not future.complete(2)
    assert not future.fail(NotFound())
    assert future.get(timeout=0) == 1
    assert future.error is None


def test_an_error_wins_over_a_later_value(future) -> None:
    """A future that failed stays failed."""
    error = OutcomeUnknown()
    assert future.fail(error)
    assert not future.complete(1)
    assert future.error is error
    with pytest.raises(OutcomeUnknown):
        future.get(timeout=0)


def test_each_raise_starts_its_own_traceback(future) -> None:
    """An error that many callers meet does not drag their tracebacks along."""
    future.fail(NotFound("nothing here"))
    depths = []
    for _ in range(3):
        with pytest.raises(NotFound) as caught:
            future.get(timeout=0)
        depths.append(len(caught.traceback))
    assert len(set(depths)) == 1


def test_pykka_s_set_refuses_a_second_outcome(future) -> None:
    """`set` and `set_exception` behave as Pykka's: a second time is an error."""
    future.set(1)
    with pytest.raises(RuntimeError):
        future.set(2)
    with pytest.raises(RuntimeError):
        future.set_exception((NotFound, NotFound(), None))
    assert future.get(timeout=0) == 1


def test_set_exception_takes_what_is_being_handled(future) -> None:
    """Without an argument the exception of the surrounding `except` is the outcome."""
    try:
        raise NotFound("handled")
    except NotFound:
        future.set_exception()
    with pytest.raises(NotFound, match="handled"):
        future.get(timeout=0)


def test_set_exception_needs_an_exception(future) -> None:
    """Outside of an `except` there is nothing to fail with, and the future stays pending."""
    with pytest.raises(RuntimeError):
        future.set_exception()
    assert not future.done


def test_waiting_ends_with_the_timeout(future) -> None:
    """A caller who waited long enough is let go, and the future can still complete."""
    with pytest.raises(Timeout):
        future.get(timeout=0)
    future.complete(1)
    assert future.get(timeout=0) == 1


def test_every_waiter_is_woken(future) -> None:
    """All threads that wait get the one value."""
    waiting = threading.Barrier(5)
    values = []

    def wait() -> None:
        waiting.wait(PATIENCE)
        values.append(future.get(timeout=PATIENCE))

    threads = [threading.Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    waiting.wait(PATIENCE)
    future.complete("value")
    for thread in threads:
        thread.join(PATIENCE)
    assert values == ["value"] * 4


def test_callbacks_run_in_order_and_once(future) -> None:
    """Each callback sees the completed future, exactly once, in the order they were added."""
    seen = []
    future.add_done_callback(lambda done: seen.append(("first", done.get(timeout=0))))
    future.add_done_callback(lambda done: seen.append(("second", done.get(timeout=0))))
    assert seen == []
    future.complete(1)
    future.complete(2)
    assert seen == [("first", 1), ("second", 1)]


def test_a_late_callback_runs_at_once(future) -> None:
    """Who comes after the outcome does not wait for another one."""
    future.fail(NotFound())
    seen = []
    future.add_done_callback(seen.append)
    assert seen == [future]


def test_a_raising_callback_harms_nobody(future, warned) -> None:
    """What a callback raises is logged; the other callbacks and the completer go on."""
    seen = []
    future.add_done_callback(lambda _: 1 / 0)
    future.add_done_callback(seen.append)
    assert future.complete(1)
    assert seen == [future]
    assert "callback_failed" in warned()


def test_map_applies_a_function(future) -> None:
    """`map` is Pykka's: a new future with the mapped value."""
    mapped = future.map(lambda value: value + 1)
    future.complete(1)
    assert mapped.get(timeout=0) == 2


def test_map_passes_errors_on(future) -> None:
    """A mapped future fails as the original does."""
    mapped = future.map(lambda value: value + 1)
    future.fail(NotFound())
    with pytest.raises(NotFound):
        mapped.get(timeout=0)


def test_join_collects_the_values_of_several_futures(future) -> None:
    """`join` is Pykka's: a list, in the order of the futures."""
    other = StageFuture()
    joined = future.join(other)
    other.complete(2)
    future.complete(1)
    assert joined.get(timeout=0) == [1, 2]


def test_filter_keeps_what_passes(future) -> None:
    """`filter` is Pykka's: a list of the items that pass."""
    odd = future.filter(lambda number: number % 2)
    future.complete([1, 2, 3])
    assert odd.get(timeout=0) == [1, 3]


def test_reduce_folds_the_items(future) -> None:
    """`reduce` is Pykka's: one value out of all items."""
    total = future.reduce(lambda left, right: left + right, 0)
    future.complete([1, 2, 3])
    assert total.get(timeout=0) == 6


def test_awaiting_leaves_the_event_loop_free(future) -> None:
    """A coroutine waits while the loop runs the one that completes the future."""
    steps = []

    async def wait():
        steps.append("waiting")
        value = await future
        steps.append("woken")
        return value

    async def complete() -> None:
        steps.append("completing")
        future.complete("value")

    async def both():
        value, _ = await asyncio.wait_for(asyncio.gather(wait(), complete()), PATIENCE)
        return value

    assert asyncio.run(both()) == "value"
    assert steps == ["waiting", "completing", "woken"]


def test_awaiting_wakes_on_completion_by_a_thread(future) -> None:
    """The completing thread is no event loop's, and the loop wakes all the same."""

    async def wait():
        thread = threading.Thread(target=future.complete, args=("value",))
        thread.start()
        value = await asyncio.wait_for(_awaited(future), PATIENCE)
        thread.join(PATIENCE)
        return value

    assert asyncio.run(wait()) == "value"


def test_awaiting_raises_the_error(future) -> None:
    """A coroutine meets the same error as a thread."""
    future.fail(NotFound())
    with pytest.raises(NotFound):
        asyncio.run(_awaited(future))


def test_a_mapped_future_can_be_awaited(future) -> None:
    """What `map` returns has no completion of its own, and waits for the original."""
    mapped = future.map(lambda value: value + 1)

    async def wait():
        thread = threading.Thread(target=future.complete, args=(1,))
        waiting = asyncio.ensure_future(_awaited(mapped))
        thread.start()
        value = await asyncio.wait_for(waiting, PATIENCE)
        thread.join(PATIENCE)
        return value

    assert asyncio.run(wait()) == 2


def test_a_coroutine_that_gave_up_harms_nobody(future, warned) -> None:
    """Completing a future whose waiting event loop is gone completes it without a murmur."""

    async def give_up() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(_awaited(future), timeout=0.001)

    asyncio.run(give_up())
    seen = []
    future.add_done_callback(seen.append)
    assert future.complete(1)
    assert seen == [future]
    assert warned() == ""


async def _awaited(future):
    return await future
