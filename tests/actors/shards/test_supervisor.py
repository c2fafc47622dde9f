"""Real programs, kept running and ended."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from actors.shards import supervisor as supervisors
from actors.shards.settings import SupervisionSettings
from protocol.errors import Closed, ProgramsFailed, StoreInUse
from tests.actors.outside import PATIENCE
from tests.actors.shards import children
from tests.actors.shards.lines import CALM, until

SHARP = replace(CALM, silence_seconds=1.5)
"""What is frozen is killed soon."""

HASTY = replace(CALM, backoff_seconds=0.01, max_restarts=2)


def states(supervisor) -> list[str]:
    return [standing.state for standing in supervisor.standings()]


def test_programs_are_started_and_ended(supervised, watched) -> None:
    """All are ready when `start` returns, and gone, without zombies, when `stop` does."""
    supervisor = supervised([children.obedient], [children.obedient])
    supervisor.start()
    assert states(supervisor) == ["ready", "ready"]
    pids = supervisor.pids
    programs = [watched(pid) for pid in pids]
    supervisor.stop()
    assert all(program.gone for program in programs)
    assert states(supervisor) == ["stopped", "stopped"]
    assert supervisor.pids == ()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_nothing_of_it_is_left(supervised, descriptors) -> None:
    """However often programs are started, threads and descriptors do not grow."""

    def once() -> tuple[int, int]:
        supervisor = supervised([children.obedient])
        supervisor.start()
        os.kill(supervisor.pids[0], signal.SIGKILL)
        until(lambda: supervisor.standings()[0].generation == 2)
        supervisor.stop(0)
        return descriptors(), threading.active_count()

    # The first time multiprocessing starts a program of its own, which stays.
    assert once() == once()


def test_a_killed_program_is_started_again_and_the_others_go_on(supervised, line) -> None:
    """Its successor knows that it is one; nobody else notices."""
    supervisor = supervised([children.telling, line.path], [children.obedient])
    supervisor.start()
    first, other = supervisor.pids
    assert line.hear() == ["ready", "1", str(first)]
    os.kill(first, signal.SIGKILL)
    word, generation, successor = line.hear()
    assert (word, generation) == ("ready", "2")
    until(lambda: states(supervisor) == ["ready", "ready"])
    assert supervisor.pids == (int(successor), other)
    assert "SIGKILL" in supervisor.standings()[0].reason
    assert [standing.restarts for standing in supervisor.standings()] == [1, 0]


def test_a_stopped_program_is_gone_before_its_successor_starts(supervised, tmp_path) -> None:
    """A program that SIGSTOP holds keeps its lock; its successor takes the lock at once."""
    supervisor = supervised([children.locking, tmp_path / "lock"], settings=SHARP)
    supervisor.start()
    (first,) = supervisor.pids
    os.kill(first, signal.SIGSTOP)
    until(lambda: states(supervisor) == ["ready"] and supervisor.pids != (first,))
    # Its own reason would follow if it had found the lock taken.
    assert "silent for 1.5 s and was killed" in supervisor.standings()[0].reason


def test_a_program_whose_main_thread_hangs_is_killed(supervised) -> None:
    """Silence is enough, whatever else the program does."""
    supervisor = supervised([children.silent], settings=SHARP)
    supervisor.start()
    until(lambda: supervisor.standings()[0].restarts)
    assert "silent" in supervisor.standings()[0].reason


def test_who_was_away_kills_nobody_for_having_been_silent(supervised, monkeypatch) -> None:
    """A parent that was itself stopped, with its programs or without, first listens again."""
    away = [0.0]
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + away[0])
    monkeypatch.setattr(supervisors, "time", clock)
    supervisor = supervised([children.obedient], [children.obedient])
    supervisor.start()
    away[0] = 1000.0
    # Its restart shows that the supervisor has looked since.
    os.kill(supervisor.pids[1], signal.SIGKILL)
    until(lambda: states(supervisor) == ["ready", "ready"] and supervisor.standings()[1].restarts)
    assert supervisor.standings()[0].restarts == 0


def test_a_fork_of_the_parent_leaves_the_programs_alone(supervised) -> None:
    """Stopping in a forked child ends nothing, and closes nothing but its own copies."""
    supervisor = supervised([children.obedient])
    supervisor.start()
    pid = os.fork()
    if pid == 0:
        supervisor.stop()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    os.kill(supervisor.pids[0], signal.SIGKILL)
    until(lambda: states(supervisor) == ["ready"] and supervisor.standings()[0].restarts)


def test_a_program_that_is_told_to_stop_finishes(supervised, line) -> None:
    """It ends by itself, in good order."""
    supervisor = supervised([children.telling, line.path])
    supervisor.start()
    (pid,) = supervisor.pids
    assert line.hear() == ["ready", "1", str(pid)]
    supervisor.stop()
    assert line.hear() == ["ended", "1", str(pid)]


def test_after_too_many_ends_all_are_stopped(supervised, line, watched) -> None:
    """Whoever runs the node is told once which program, how often, and why."""
    told: list = []
    over = threading.Event()

    def failed(error) -> None:
        told.append(error)
        over.set()

    supervisor = supervised(
        [children.obedient], [children.telling, line.path], settings=HASTY, failed=failed
    )
    supervisor.start()
    other = watched(supervisor.pids[0])
    for generation in ("1", "2", "3"):
        word, heard, pid = line.hear()
        assert (word, heard) == ("ready", generation)
        os.kill(int(pid), signal.SIGKILL)
    assert over.wait(PATIENCE)
    assert other.gone
    assert states(supervisor) == ["stopped", "stopped"]
    (error,) = told
    assert isinstance(error, ProgramsFailed)
    assert "program 1 ended 3 times" in error.detail
    assert "SIGKILL" in error.detail


def test_what_fails_to_start_again_stops_all(supervised, tmp_path) -> None:
    """The error that its successors reported is part of the reason."""
    over = threading.Event()
    told: list = []

    def failed(error) -> None:
        told.append(error)
        over.set()

    flag, error = tmp_path / "flag", StoreInUse("in use by PID 7")
    supervisor = supervised([children.refusing_later, flag, error], settings=HASTY, failed=failed)
    supervisor.start()
    os.kill(supervisor.pids[0], signal.SIGKILL)
    assert over.wait(PATIENCE)
    assert "in use by PID 7" in told[0].detail


def test_the_first_error_is_what_starting_raises(supervised) -> None:
    """The same error, and nothing is left running."""
    supervisor = supervised([children.refusing, StoreInUse("by PID 7")], [children.obedient])
    with pytest.raises(StoreInUse, match="by PID 7"):
        supervisor.start()
    assert states(supervisor) == ["stopped", "stopped"]


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ([children.refusing_oddly], "program 0 failed: Odd: quite odd"),
        ([children.exiting, 9], "program 0 ended with exit code 9 before it was ready"),
        ([children.exiting, 0], "program 0 ended by itself before it was ready"),
        ([children.obedient, "too much"], "program 0 failed: TypeError"),
    ],
)
def test_what_ends_before_it_is_ready_says_why(supervised, target, text) -> None:
    """An error that does not travel arrives as text, an exit in words."""
    with pytest.raises((ProgramsFailed, TypeError)) as raised:
        supervised(target).start()
    assert isinstance(raised.value, TypeError) or raised.value.detail.startswith(text)


def test_a_program_that_is_never_ready_is_given_up(supervised) -> None:
    """It is killed once it took too long."""
    settings = replace(CALM, start_seconds=2.0)
    with pytest.raises(ProgramsFailed, match="was not ready after 2 s and was killed"):
        supervised([children.never_ready], settings=settings).start()


def test_what_cannot_be_handed_over_is_refused_at_once(supervised) -> None:
    """What cannot be pickled is named before any program is asked to run it."""
    with pytest.raises(ProgramsFailed, match="program 0 cannot be given what it needs"):
        supervised([children.refusing, lambda: None]).start()


def test_stopping_wins_over_starting(supervised) -> None:
    """Whoever stops a supervisor that is starting makes that fail, soon and cleanly."""
    supervisor = supervised([children.never_ready], [children.obedient])
    failed: list[BaseException] = []

    def start() -> None:
        try:
            supervisor.start()
        except Closed as exc:
            failed.append(exc)

    starting = threading.Thread(target=start)
    starting.start()
    until(lambda: len(supervisor.pids) == 2)
    supervisor.stop()
    starting.join(PATIENCE)
    assert failed
    assert supervisor.pids == ()


def test_what_was_stopped_does_not_start(supervised) -> None:
    """Stopping is final, also before the start, and may be said again."""
    supervisor = supervised([children.obedient])
    supervisor.stop()
    supervisor.stop()
    with pytest.raises(Closed):
        supervisor.start()


def test_a_program_that_does_not_end_is_killed(supervised, watched) -> None:
    """It has its time, and no more."""
    settings = replace(CALM, stop_seconds=1.0)
    supervisor = supervised([children.stubborn], settings=settings)
    supervisor.start()
    program = watched(supervisor.pids[0])
    supervisor.stop()
    assert program.gone


def test_a_thread_that_does_not_end_keeps_no_program(supervised, watched) -> None:
    """What a program leaves behind when it returns is ended with it."""
    settings = replace(CALM, stop_seconds=1.0)
    supervisor = supervised([children.lingering], settings=settings)
    supervisor.start()
    program = watched(supervisor.pids[0])
    supervisor.stop(PATIENCE)
    assert program.gone
    assert "took too long to end, and ended itself" in supervisor.standings()[0].reason


def test_a_grandchild_does_not_hide_an_end(supervised, bar) -> None:
    """A program is gone when it is, whatever it started and left with its descriptors."""
    supervisor = supervised([children.leaving_a_child, bar.path])
    supervisor.start()
    os.kill(supervisor.pids[0], signal.SIGKILL)
    until(lambda: supervisor.standings()[0].restarts)
    assert "SIGKILL" in supervisor.standings()[0].reason


def test_the_waiting_of_one_stop_can_be_cut_short(supervised, line, bar, watched) -> None:
    """A second call with less patience ends what the first one waits for."""
    supervisor = supervised([children.ending, line.path, bar.path])
    supervisor.start()
    program = watched(supervisor.pids[0])
    first = threading.Thread(target=supervisor.stop)
    first.start()
    assert line.hear()[0] == "ending"
    supervisor.stop(0)
    assert program.gone
    first.join(PATIENCE)
    assert not first.is_alive()


def test_the_settings_leave_time_for_what_they_wait_for() -> None:
    """Beats come far more often than silence is judged; ending has longer than a shard takes."""
    settings = SupervisionSettings()
    assert settings.silence_seconds >= 10 * settings.beat_seconds
    assert settings.orphan_seconds < settings.stop_seconds
