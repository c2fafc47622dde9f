"""A scheduler over a store of its own, and outside things that do as a test tells them."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest

from actors import Scheduler
from actors.events import log
from protocol.wallet import Wallet
from tests.actors.errands import Office
from tests.actors.outside import PATIENCE, Gate

OUTSIDE = ("uploader", "clock", "block_clock", "signer", "probe", "observer")
"""What a scheduler is handed from outside: with shards it is used in their programs."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what opens a scheduler over its actors in this program, and over two shards."""
    if "opened" in metafunc.fixturenames:
        # What shards have to tell, they tell on the error output of their own programs.
        inside = metafunc.definition.get_closest_marker("embedded") or (
            "warned" in metafunc.fixturenames
        )
        layouts = {"embedded": 0} if inside else {"embedded": 0, "sharded": 2}
        metafunc.parametrize("shards", layouts.values(), ids=layouts.keys())


@pytest.fixture(scope="session")
def second_wallet() -> Wallet:
    """Another wallet of the scheduler."""
    return Wallet.generate()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the store of this test lies."""
    return tmp_path / "store"


@pytest.fixture
def office():
    """Where shards have things done that stay in this program."""
    office = Office()
    yield office
    office.close()


@pytest.fixture
def opened(root: Path, wallet: Wallet, shards: int, request: pytest.FixtureRequest):
    """Open the store of this test, as often as needed; at the end nothing of it is left running."""
    before = set(threading.enumerate())
    schedulers: list[Scheduler] = []

    def open_store(wallets=wallet, **options) -> Scheduler:
        if shards:
            office = request.getfixturevalue("office")
            away = {name: office.errand(options[name]) for name in OUTSIDE if name in options}
            options = {**options, **away}
        # By default no deadline passes while a test waits for what it expects.
        options = {"deadline": 2 * PATIENCE, "shards": shards, **options}
        scheduler = Scheduler.open(root, wallets, **options)
        schedulers.append(scheduler)
        return scheduler

    yield open_store
    for scheduler in schedulers:
        scheduler.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)


@pytest.fixture
def warned():
    """What is written from the warning level on, as one text."""
    told = io.StringIO()
    log.configure("warning", told)
    yield told.getvalue
    log.configure("quiet")


@pytest.fixture
def gate(opened):  # noqa: ARG001 - so that the gate opens before the schedulers are closed
    """A gate that is open at the end, whatever still stands before it."""
    gate = Gate()
    yield gate
    gate.open()
