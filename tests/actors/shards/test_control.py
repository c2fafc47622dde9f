"""The child's side: signals, beats and the word to end."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest

from actors.shards import control as controls
from actors.shards.child import SPAWN
from actors.shards.control import Control
from actors.shards.looping import until_told
from actors.shards.settings import SupervisionSettings
from actors.shards.words import STOP, Beat, Begun
from tests.actors.outside import PATIENCE
from tests.actors.shards import children
from tests.actors.shards.lines import CALM, until


@pytest.fixture
def linked(monkeypatch):
    """A control in this program, and the other end of its pipe."""
    monkeypatch.setattr(controls, "_continue_when_orphaned", lambda: None)
    monkeypatch.setattr(Control, "limit_end", lambda _: None)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    ours, theirs = SPAWN.Pipe()
    yield Control(theirs, os.getppid(), 1, CALM), ours
    for number, handler in handlers.items():
        signal.signal(number, handler)
    ours.close()
    theirs.close()


def test_sigterm_drains(supervised, line, bar) -> None:
    """A program that is signalled ends in good order, and is started again."""
    supervisor = supervised([children.ending, line.path, bar.path])
    supervisor.start()
    (first,) = supervisor.pids
    os.kill(first, signal.SIGTERM)
    assert line.hear() == ["ending", str(first)]
    bar.lift()
    assert line.hear() == ["ended", str(first)]
    until(lambda: supervisor.standings()[0].restarts and supervisor.pids)
    assert supervisor.standings()[0].reason == "program 0 was signalled to end"


def test_a_second_sigterm_ends_it_at_once(supervised, line, bar, watched) -> None:
    """Whoever signals twice does not want to wait."""
    supervisor = supervised([children.ending, line.path, bar.path])
    supervisor.start()
    (first,) = supervisor.pids
    program = watched(first)
    os.kill(first, signal.SIGTERM)
    assert line.hear() == ["ending", str(first)]
    os.kill(first, signal.SIGTERM)
    program.wait()
    until(lambda: supervisor.standings()[0].restarts)
    assert "was signalled to end twice, and ended at once" in supervisor.standings()[0].reason


def test_sigterm_before_it_is_ready_ends_it(supervised, line, bar) -> None:
    """A program that has accepted nothing has nothing to finish."""
    supervisor = supervised([children.opening, line.path, bar.path])
    failed: list[Exception] = []

    def start() -> None:
        try:
            supervisor.start()
        except Exception as exc:
            failed.append(exc)

    starting = threading.Thread(target=start)
    starting.start()
    word, pid = line.hear()
    assert word == "opening"
    os.kill(int(pid), signal.SIGTERM)
    starting.join(PATIENCE)
    assert "was ended by SIGTERM before it was ready" in str(failed[0])


@pytest.mark.parametrize("target", [children.telling, children.looping])
def test_an_interrupt_is_not_for_it(supervised, line, target) -> None:
    """SIGINT, which the whole group hears, changes nothing; the word to stop does."""
    supervisor = supervised([target, line.path])
    supervisor.start()
    (pid,) = supervisor.pids
    assert line.hear() == ["ready", "1", str(pid)]
    os.kill(pid, signal.SIGINT)
    supervisor.stop()
    assert line.hear() == ["ended", "1", str(pid)]


def test_a_loop_hears_a_signal(supervised, line) -> None:
    """A program that runs a loop drains like any other."""
    supervisor = supervised([children.looping, line.path])
    supervisor.start()
    (pid,) = supervisor.pids
    assert line.hear() == ["ready", "1", str(pid)]
    os.kill(pid, signal.SIGTERM)
    assert line.hear() == ["ended", "1", str(pid)]


def test_a_loop_beats_until_it_is_told_to_end(linked) -> None:
    """Beats come from the loop itself, and so do not come when it hangs."""
    control, ours = linked

    def hear() -> None:
        assert [ours.recv() for _ in range(3)] == [Beat()] * 3
        ours.send(STOP)

    async def both() -> None:
        await asyncio.gather(until_told(control), asyncio.to_thread(hear))

    asyncio.run(asyncio.wait_for(both(), PATIENCE))


def test_beats_wait_for_nobody(linked) -> None:
    """A supervisor that does not read, because it is stopped, stops no program."""
    control, ours = linked
    for _ in range(100_000):
        control.beat()
    heard = 0
    while ours.poll():
        assert ours.recv() == Beat()
        heard += 1
    assert 0 < heard < 100_000
    control.beat()
    assert ours.recv() == Beat()


def test_a_program_ends_when_nobody_gives_it_an_order(linked) -> None:
    """A parent that dies while its program is imported is noticed with the first word."""
    control, ours = linked
    asking = []

    def answer() -> None:
        asking.append(ours.recv())
        ours.close()

    parent = threading.Thread(target=answer)
    parent.start()
    with pytest.raises(SystemExit):
        control.order()
    parent.join(PATIENCE)
    assert asking == [Begun()]


def test_a_parent_that_is_gone_is_not_told(linked) -> None:
    """Whatever a program has to say, the end of its parent ends it, in good order."""
    control, ours = linked
    ours.close()
    control.beat()
    control.ending("nobody hears")
    control.failed(ValueError("nobody hears"))
    with pytest.raises(SystemExit):
        control.ready()
    assert control.told()


def test_a_program_that_hangs_at_its_end_is_ended_by_the_system(line) -> None:
    """Nobody is left to kill an orphan; its own alarm does."""
    ours, theirs = SPAWN.Pipe()
    settings = SupervisionSettings(beat_seconds=0.1, orphan_seconds=0.5)
    process = SPAWN.Process(
        target=children.hanging_orphan, args=(theirs, os.getpid(), settings, line.path)
    )
    process.start()
    theirs.close()
    assert line.hear()[0] == "ready"
    ours.close()
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGALRM
    process.close()
