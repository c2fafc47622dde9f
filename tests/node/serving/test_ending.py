"""What signals mean to the program that runs the others."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from actors.shards.endings import HURRIED_EXIT
from node.serving.ending import ECHO_SECONDS, Ending
from protocol.errors import ProgramsFailed


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Ended:
    """An ending whose clock a test sets, and how often the rest was given up.

    Attributes:
        ending: what is tried.
        clock: it reads this one.
        given_up: how often.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.ending = Ending(self.clock)
        self.given_up = 0
        self.ending.hurried_by(self._give_up)

    def _give_up(self) -> None:
        self.given_up += 1


@pytest.fixture
def ended() -> Iterator[Ended]:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    yield Ended()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def closing_for(ended: Ended, *signals: tuple[float, signal.Signals]) -> None:
    """Be told to end, and meet other signals at their times while everything is closed."""
    try:
        signal.raise_signal(signal.SIGTERM)
    finally:
        for ended.clock.now, number in signals:
            signal.raise_signal(number)


def failing(ended: Ended) -> None:
    """Fail, and meet a signal while everything is closed."""
    try:
        ended.ending.wait()
    finally:
        signal.raise_signal(signal.SIGTERM)


def test_the_first_signal_ends_in_good_order(ended: Ended) -> None:
    """Wherever the program is, it begins to close, and nothing is given up."""
    reached = False
    with ended.ending:
        closing_for(ended)
        reached = True
    assert not reached
    assert ended.given_up == 0


def test_one_signal_that_comes_twice_is_one(ended: Ended) -> None:
    """`timeout` sends it to the program and to its group; what was accepted is still finished."""
    with ended.ending:
        closing_for(ended, (ECHO_SECONDS / 2, signal.SIGTERM))
    assert ended.given_up == 0


def test_a_second_signal_gives_up(ended: Ended) -> None:
    """Who does not want to wait says so again, with either signal."""
    with pytest.raises(SystemExit) as left, ended.ending:
        closing_for(ended, (ECHO_SECONDS * 2, signal.SIGINT))
    assert left.value.code == HURRIED_EXIT
    assert ended.given_up == 1


def test_a_signal_does_not_hide_why_a_node_failed(ended: Ended) -> None:
    """What would be ended ends already; only another signal hurries it."""
    ended.ending.fail(ProgramsFailed("a reason"))
    with pytest.raises(ProgramsFailed, match="a reason"), ended.ending:
        failing(ended)
    assert ended.given_up == 0
