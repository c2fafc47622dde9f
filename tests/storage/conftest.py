from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import Journal, LmdbJournal, MemoryJournal, open_writer
from tests.storage.schedules import Schedule


class LmdbWorld:
    """A store on disk that can be closed and opened again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.journal: Journal = open_writer(root)

    def reopen(self) -> Journal:
        self.journal.close()
        self.journal = open_writer(self.root)
        return self.journal


class MemoryWorld:
    """The same in memory."""

    def __init__(self) -> None:
        self.journal: Journal = MemoryJournal()

    def reopen(self) -> Journal:
        assert isinstance(self.journal, MemoryJournal)
        self.journal = self.journal.reopen()
        return self.journal


World = LmdbWorld | MemoryWorld


@pytest.fixture(params=["lmdb", "memory"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    world = LmdbWorld(tmp_path / "store") if request.param == "lmdb" else MemoryWorld()
    yield world
    world.journal.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def journal(root: Path) -> Iterator[LmdbJournal]:
    with open_writer(root) as journal:
        yield journal


@pytest.fixture
def schedule() -> Schedule:
    return Schedule()
