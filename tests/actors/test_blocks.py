from __future__ import annotations

import pickle
import threading

import pytest

from actors.blocks import OfflineBlockClock, PolledBlockClock
from protocol.assignment import ZERO_HASH, Block

PATIENCE = 10.0
NEWS = Block(7, 70, "hash of 7")


def test_offline_nothing_is_known() -> None:
    """Without a gateway an assignment names height 0, time 0 and the zero hash."""
    clock = OfflineBlockClock()
    clock.start()
    assert clock.latest() == Block(0, 0, ZERO_HASH)
    clock.stop()
    clock.stop()


def test_the_offline_clock_can_be_sent_to_another_program() -> None:
    """It is part of what a spawned program is started with."""
    assert pickle.loads(pickle.dumps(OfflineBlockClock())).latest() == Block()


def test_before_the_first_answer_nothing_is_known() -> None:
    """Nobody waits for the gateway."""
    asked = threading.Event()
    answer = threading.Event()

    def fetch() -> Block:
        asked.set()
        answer.wait(PATIENCE)
        return NEWS

    clock = PolledBlockClock(fetch)
    clock.start()
    assert asked.wait(PATIENCE)
    assert clock.latest() == Block()
    clock.stop()
    answer.set()


def test_the_last_answer_is_remembered() -> None:
    """The newest block is answered from memory, and a failing gateway does not erase it."""
    answers = iter([NEWS, None, None])
    asked = threading.Semaphore(0)

    def fetch() -> Block:
        asked.release()
        answer = next(answers, None)
        if answer is None:
            raise ConnectionError("the gateway is away")
        return answer

    clock = PolledBlockClock(fetch, interval=0.001)
    clock.start()
    for _ in range(3):
        assert asked.acquire(timeout=PATIENCE)
    assert clock.latest() == NEWS
    clock.stop()


def test_a_failing_gateway_is_reported(warned) -> None:
    """An operator can see that blocks are not known."""
    asked = threading.Semaphore(0)

    def fetch() -> Block:
        asked.release()
        raise ConnectionError("the gateway is away")

    clock = PolledBlockClock(fetch, interval=0.001)
    clock.start()
    for _ in range(2):
        assert asked.acquire(timeout=PATIENCE)
    clock.stop()
    assert "the gateway is away" in warned()


@pytest.mark.parametrize("times", [1, 2])
def test_a_clock_that_never_started_can_be_stopped(times) -> None:
    """Stopping is harmless at any time."""
    clock = PolledBlockClock(lambda: NEWS)
    for _ in range(times):
        clock.stop()
