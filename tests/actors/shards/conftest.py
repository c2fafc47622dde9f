"""Supervisors of which nothing is left at the end, and programs that can be heard."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from actors.shards.child import ChildSpec
from actors.shards.supervisor import Supervisor
from storage import open_writer
from tests.actors.shards.lines import CALM, Bar, Line, Watched
from tests.actors.shards.linked import Linked
from tests.items import process_item


@pytest.fixture
def supervised():
    """Make a supervisor; at the end it is stopped, and no thread of it is left."""
    made: list[Supervisor] = []

    def make(*targets, settings=CALM, **options) -> Supervisor:
        specs = [
            ChildSpec(f"program {number}", number, target, tuple(args))
            for number, (target, *args) in enumerate(targets)
        ]
        made.append(Supervisor(specs, settings, **options))
        return made[-1]

    yield make
    for supervisor in made:
        supervisor.stop(0)
    assert "supervisor" not in {thread.name for thread in threading.enumerate()}


@pytest.fixture
def line(tmp_path: Path):
    """What programs say."""
    line = Line(tmp_path / "line")
    yield line
    line.close()


@pytest.fixture
def bar(tmp_path: Path):
    """What holds programs up."""
    bar = Bar(tmp_path / "bar")
    yield bar
    bar.close()


@pytest.fixture
def watched():
    """Watch programs by their PIDs."""
    with ExitStack() as closing:

        def watch(pid: int | str) -> Watched:
            program = Watched(int(pid))
            closing.callback(program.close)
            return program

        yield watch


@pytest.fixture
def descriptors():
    """How many descriptors this program has open."""
    return lambda: len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def link(tmp_path, wallet):
    """Open a shard and the way to it; outside things are handed to the shard."""
    links: list[Linked] = []

    def linked(**options) -> Linked:
        root = tmp_path / "store"
        links.append(Linked(open_writer(root), root, wallet, **options))
        return links[-1]

    yield linked
    for each in links:
        each.close()


@pytest.fixture
def spawn(user_wallet, wallet):
    """A process that names our wallet."""
    return process_item(user_wallet, wallet.address)
