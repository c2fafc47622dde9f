"""Programs whose parent is gone, or ends without stopping them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.actors.outside import PATIENCE
from tests.actors.shards.lines import Line
from tests.sources import ROOT


class Parent:
    """A program that started two others.

    Attributes:
        process: the program.
        pids: of those it started.
    """

    def __init__(self, line: Line, target: str, *paths: Path, group: int | None = None) -> None:
        command = [sys.executable, "-m", "tests.actors.shards.parent", str(line.path), target]
        self.process = subprocess.Popen(
            [*command, *map(str, paths)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=group,
        )
        # What it started may say something, too.
        heard = [line.hear() for _ in range(3 if paths else 1)]
        (words,) = [words for words in heard if words[0].isdecimal()]
        self.pids = [int(pid) for pid in words[:2]]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        self.process.stderr.close()


@pytest.fixture
def parent(line):
    """Start a parent; nothing it started goes on for longer than the test."""
    made: list[Parent] = []

    def start(target: str, *paths: Path, group: int | None = None) -> Parent:
        made.append(Parent(line, target, *paths, group=group))
        return made[-1]

    yield start
    for each in made:
        each.close()


def test_the_death_of_the_parent_is_noticed_at_once(parent, line, watched) -> None:
    """Each program ends in good order by itself; no sibling keeps another alive."""
    killed = parent("telling", line.path)
    programs = [watched(pid) for pid in killed.pids]
    killed.kill()
    assert {line.hear()[0] for _ in programs} == {"ended"}
    for program in programs:
        program.wait()


def test_a_stopped_program_does_not_outlive_its_parent(parent, watched) -> None:
    """It would keep its lock until somebody found it."""
    killed = parent("obedient")
    programs = [watched(pid) for pid in killed.pids]
    for pid in killed.pids:
        os.kill(pid, signal.SIGSTOP)
    killed.kill()
    for program in programs:
        program.wait()


def test_a_program_that_is_still_opening_notices_it_when_it_is_done(
    parent, line, bar, watched
) -> None:
    """Nobody hears that it is ready, so it ends."""
    killed = parent("opening", line.path, bar.path)
    programs = [watched(pid) for pid in killed.pids]
    killed.kill()
    assert not any(program.gone for program in programs)
    bar.lift()
    for program in programs:
        program.wait()


def test_an_heir_of_the_parents_descriptors_does_not_hide_its_death(parent, line, watched) -> None:
    """Who its parent is tells a program more than whether the pipe is open."""
    killed = parent("obedient")
    programs = [watched(pid) for pid in killed.pids]
    killed.process.stdin.write(b"an heir\n")
    killed.process.stdin.flush()
    heir = int(line.hear()[0])
    killed.kill()
    try:
        for program in programs:
            program.wait()
    finally:
        os.kill(heir, signal.SIGKILL)


def test_a_parent_that_ends_without_stopping_them_ends_them(parent, line, watched) -> None:
    """At the exit of an interpreter that forgot to close, nothing hangs and nothing stays."""
    ended = parent("telling", line.path)
    programs = [watched(pid) for pid in ended.pids]
    _, errors = ended.process.communicate(timeout=PATIENCE)
    assert (ended.process.returncode, errors) == (0, b"")
    assert {line.hear()[0] for _ in programs} == {"ended"}
    assert all(program.gone for program in programs)


def test_ctrl_c_is_the_parents(parent, line, watched) -> None:
    """The whole group hears it, and only the parent takes it for an interrupt."""
    interrupted = parent("telling", line.path, group=0)
    programs = [watched(pid) for pid in interrupted.pids]
    os.killpg(interrupted.process.pid, signal.SIGINT)
    _, errors = interrupted.process.communicate(timeout=PATIENCE)
    assert errors.count(b"Traceback") == 1
    assert errors.endswith(b"KeyboardInterrupt\n")
    assert {line.hear()[0] for _ in programs} == {"ended"}
    assert all(program.gone for program in programs)
