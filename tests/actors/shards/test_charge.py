"""One program under supervision, with a clock and lives that a test makes up."""

from __future__ import annotations

import math
import signal
from collections import deque

import pytest

from actors.shards.charge import Charge
from actors.shards.child import ChildSpec
from actors.shards.endings import FENCED_EXIT
from actors.shards.settings import SupervisionSettings
from actors.shards.words import Beat, Begun, Ending, Ready, failed
from protocol.errors import ProgramsFailed, StoreInvalid

SETTINGS = SupervisionSettings(
    silence_seconds=10.0,
    start_seconds=100.0,
    stop_seconds=30.0,
    backoff_seconds=1.0,
    max_restarts=2,
    restart_window_seconds=60.0,
)


class Life:
    """One life of a program, as its supervisor sees it."""

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.pid = 1000 + generation
        self.begun = self.closed = self.asked = self.ended = False
        self.killed = 0
        self.exit_code: int | None = None
        self.said: deque = deque()

    def hear(self):
        while self.said:
            yield self.said.popleft()

    def end(self, code: int) -> None:
        self.ended, self.exit_code = True, code

    def give_order(self) -> None:
        self.begun = True

    def ask_to_stop(self) -> None:
        self.asked = True

    def kill(self) -> None:
        self.killed += 1

    def close(self) -> None:
        self.closed = True


class World:
    """A charge, all its lives, and the time."""

    def __init__(self) -> None:
        self.lives: list[Life] = []
        self.refusal: Exception | None = None
        self.charge = Charge(ChildSpec("shard 3", 3, print), SETTINGS, self.start)
        self.now = 0.0

    def start(self, _spec, generation: int, _settings) -> Life:
        if self.refusal is not None:
            raise self.refusal
        self.lives.append(Life(generation))
        return self.lives[-1]

    @property
    def life(self) -> Life:
        return self.lives[-1]

    def after(self, seconds: float, *words) -> None:
        """Let time pass, then let the program have said something, and attend to it."""
        self.now += seconds
        if self.lives:
            self.life.said.extend(words)
        self.charge.attend(self.now)

    def end(self, code: int = 0) -> None:
        self.life.end(code)
        self.after(0.0)


@pytest.fixture
def world() -> World:
    """A program that has not begun."""
    world = World()
    world.after(0.0)
    return world


@pytest.fixture
def ready(world: World) -> World:
    """A program that is ready."""
    world.after(1.0, Begun())
    world.after(1.0, Ready())
    return world


def test_a_program_gets_its_order_when_it_asks_for_it(world: World) -> None:
    """Nothing is handed to a program that has not come so far as to read it."""
    assert not world.life.begun
    world.after(1.0, Begun())
    assert world.life.begun
    assert world.charge.state == "starting"


def test_a_program_that_beats_is_left_alone(ready: World) -> None:
    """However long it runs, one beat within the time of silence is enough."""
    for _ in range(50):
        ready.after(9.9, Beat())
    assert not ready.life.killed
    assert ready.charge.state == "ready"


def test_what_cannot_be_started_is_for_those_who_start_it(world: World, warned) -> None:
    """They have its error, and end: nothing of a restart is written, which there is none of."""
    world.after(1.0, Begun(), failed(StoreInvalid("no store")))
    world.end(1)
    assert str(world.charge.error) == "no store"
    assert warned() == ""


def test_a_program_that_ends_later_is_written_of(ready: World, warned) -> None:
    """Nobody waits for it, and it is started again."""
    ready.end(3)
    assert "program_ended" in warned()


def test_a_silent_program_is_killed_and_its_end_awaited(ready: World) -> None:
    """There is no successor while the killed one may still hold its lock."""
    ready.after(10.1)
    assert ready.life.killed
    for _ in range(10):
        ready.after(100.0)
    assert len(ready.lives) == 1
    ready.end(-signal.SIGKILL)
    assert ready.life.closed
    ready.after(0.0)
    assert ready.life.generation == 2
    assert ready.charge.standing.reason == "shard 3 was silent for 10 s and was killed"


def test_a_program_may_be_silent_until_it_is_ready(world: World) -> None:
    """Opening a store may take long; but not for ever."""
    world.after(99.0, Begun())
    assert not world.life.killed
    world.after(1.1)
    assert world.life.killed
    world.end(-signal.SIGKILL)
    assert "was not ready after 100 s and was killed" in world.charge.standing.reason


def test_who_did_not_listen_forgives(ready: World) -> None:
    """After a pause of the whole machine nothing is killed for having been silent in it."""
    ready.charge.forgive(1000.0)
    ready.after(1005.0)
    assert not ready.life.killed
    ready.after(5.1)
    assert ready.life.killed


def test_words_that_wait_are_heard_before_silence_is_judged(ready: World) -> None:
    """A beat that lay in the pipe counts when it is read."""
    ready.after(50.0, Beat())
    assert not ready.life.killed


def test_restarts_come_later_and_later_and_then_no_more(ready: World) -> None:
    """At once, after the backoff, and after one more the program is lost, which says why."""
    ready.end(7)
    assert ready.charge.state == "recovering"
    ready.after(0.0, Ready())
    ready.end(7)
    ready.after(0.9)
    assert len(ready.lives) == 2
    ready.after(0.2, Begun())
    ready.after(0.0, Ready())
    assert ready.charge.standing.restarts == 2
    ready.end(-signal.SIGSEGV)
    assert ready.charge.lost
    assert ready.charge.state == "stopped"
    ready.after(1000.0)
    assert len(ready.lives) == 3
    assert ready.charge.verdict.detail == (
        "shard 3 ended 3 times; at most 2 restarts within 60 s are tried; "
        "the last time: shard 3 was ended by SIGSEGV"
    )


def test_what_a_program_says_last_is_heard(ready: World) -> None:
    """The reason that was in the pipe when it ended is the reason."""
    ready.life.said.append(Ending("was fenced: commit outcome unknown"))
    ready.end(FENCED_EXIT)
    assert ready.charge.standing.reason == "shard 3 was fenced: commit outcome unknown"


def test_a_reported_error_is_the_reason(world: World) -> None:
    """The error of a program that failed to start is kept as it is."""
    world.after(1.0, Begun(), failed(StoreInvalid("no store")))
    world.end(1)
    assert isinstance(world.charge.error, StoreInvalid)
    assert world.charge.error.detail == "no store"


def test_an_error_is_forgotten_with_the_next_life(world: World) -> None:
    """A later end without a word is not explained by an earlier error."""
    world.after(1.0, Begun(), failed(StoreInvalid("no store")))
    world.end(1)
    world.after(0.0)
    world.after(1.0, Begun(), Ready())
    world.end(9)
    assert world.charge.standing.reason == "shard 3 ended with exit code 9"


def test_an_end_before_the_beginning_hints_at_the_main_module(world: World) -> None:
    """A program that never asked for its order failed while it was imported."""
    world.end(1)
    reason = world.charge.standing.reason
    assert reason.startswith("shard 3 ended with exit code 1 before it began")
    assert "__main__" in reason


def test_one_that_is_ready_and_ends_at_once_is_not_ready(world: World) -> None:
    """Both can be heard in one look; it counts as one restart, and as no life to rely on."""
    world.life.said.extend([Begun(), Ready()])
    world.end(7)
    assert world.charge.state == "recovering"
    assert world.charge.standing.reason == "shard 3 ended with exit code 7"


def test_an_end_before_it_was_ready_is_told_as_such(world: World) -> None:
    """Where in its life a program ended is part of the reason."""
    world.after(1.0, Begun())
    world.end(3)
    assert world.charge.standing.reason == "shard 3 ended with exit code 3 before it was ready"


def test_a_program_that_cannot_be_started_counts_as_ended(ready: World) -> None:
    """Where the system starts nothing, it is tried again, later, and not for ever."""
    ready.refusal = OSError(11, "no room")
    ready.end(0)
    ready.after(0.0)
    assert ready.charge.state == "recovering"
    assert "shard 3 cannot be started: " in ready.charge.standing.reason
    ready.after(1.1)
    assert ready.charge.lost


def test_one_that_is_told_to_stop_may_finish(ready: World) -> None:
    """It is asked once, killed when it takes too long, and not started again."""
    ready.charge.stop(ready.now, 30.0)
    ready.charge.stop(ready.now, 30.0)
    assert ready.life.asked
    ready.after(29.0)
    assert not ready.life.killed
    ready.after(1.1)
    assert ready.life.killed
    ready.end(-signal.SIGKILL)
    ready.after(1000.0)
    assert (len(ready.lives), ready.charge.state) == (1, "stopped")
    assert ready.charge.gone


def test_the_time_to_stop_can_be_shortened(ready: World) -> None:
    """Whoever is in a hurry says so, and a longer time said later changes nothing."""
    ready.charge.stop(ready.now, 30.0)
    ready.charge.stop(ready.now, 1.0)
    ready.charge.stop(ready.now, 60.0)
    ready.after(1.1)
    assert ready.life.killed


def test_one_that_was_killed_is_awaited_in_peace(ready: World) -> None:
    """However often it is told to stop meanwhile, it is killed once."""
    for _ in range(3):
        ready.charge.stop(ready.now, 0.0)
        ready.after(0.1)
    assert ready.life.killed == 1
    assert ready.charge.next_look() == math.inf


def test_one_that_is_not_ready_is_killed_instead_of_asked(world: World) -> None:
    """It has accepted nothing, and may not hear before long."""
    world.charge.stop(world.now, 30.0)
    assert world.life.killed
    assert not world.life.asked


def test_one_that_waits_for_its_restart_never_starts(ready: World) -> None:
    """Stopping between two lives ends it there."""
    ready.end(0)
    ready.charge.stop(ready.now, 30.0)
    ready.after(1000.0)
    assert (len(ready.lives), ready.charge.state) == (1, "stopped")


def test_one_that_ends_by_itself_has_time_for_it(ready: World) -> None:
    """A program that was signalled drains without beats, but not for ever."""
    ready.after(0.0, Ending("was signalled to end"))
    assert ready.charge.state == "recovering"
    ready.after(29.0)
    assert not ready.life.killed
    ready.after(1.1)
    assert ready.life.killed
    ready.end(-signal.SIGKILL)
    assert ready.charge.standing.reason == (
        "shard 3 was signalled to end, took too long to end, and was killed"
    )


def test_where_it_stands_is_told(ready: World) -> None:
    """Name, number, state, PID and how often it was started."""
    standing = ready.charge.standing
    assert (standing.name, standing.number, standing.state) == ("shard 3", 3, "ready")
    assert (standing.pid, standing.generation, standing.restarts) == (1001, 1, 0)
    assert standing.reason is None
    ready.end(0)
    assert (ready.charge.standing.state, ready.charge.standing.pid) == ("recovering", None)


def test_a_program_that_may_not_be_started_is_an_error_as_it_is() -> None:
    """What stands in the way of every start is not dressed up."""
    world = World()
    world.refusal = ProgramsFailed("a daemonic program starts no others")
    world.after(0.0)
    assert world.charge.error is world.refusal
