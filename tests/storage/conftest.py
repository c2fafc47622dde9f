from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.wallet import Wallet
from storage import Journal, LmdbJournal, MemoryJournal, open_writer
from storage.verify import Report
from tests.storage.resharding import copy_of, make_many
from tests.storage.schedules import Schedule
from tests.storage.sound import Sound, make_sound


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


@pytest.fixture(scope="session")
def untouched(
    tmp_path_factory: pytest.TempPathFactory, user_wallet: Wallet, wallet: Wallet
) -> Sound:
    """A store with real signatures, to be read only."""
    return make_sound(tmp_path_factory.mktemp("sound") / "store", user_wallet, wallet)


@pytest.fixture
def sound(untouched: Sound, tmp_path: Path) -> Sound:
    """A copy of it, to be damaged."""
    return untouched.copy_to(tmp_path / "store")


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory, user_wallet: Wallet, wallet: Wallet) -> Path:
    """A store of one shard with ten processes, to be copied only."""
    root = tmp_path_factory.mktemp("many") / "store"
    make_many(root, user_wallet, wallet)
    return root


@pytest.fixture
def store(many: Path, tmp_path: Path) -> Path:
    """A copy of it that may be written to."""
    return copy_of(many, tmp_path / "store")


@pytest.fixture
def sloppy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resharding of stores whose signatures are random: they are not verified at the end."""
    found = Report(0, 0, 0, 0, 0, 0.0, (), 0)
    monkeypatch.setattr("storage.reshard.run.verify_store", lambda *_, **__: found)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copying takes many steps, each durable."""
    for module in ("records", "messages"):
        monkeypatch.setattr(f"storage.reshard.{module}.BATCH_BYTES", 2000)
