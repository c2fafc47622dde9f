"""A scheduler over a store of its own, and outside things that do as a test tells them."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest

from actors import Scheduler
from actors.events import log
from protocol.wallet import Wallet
from tests.actors.outside import PATIENCE, Gate


@pytest.fixture(scope="session")
def second_wallet() -> Wallet:
    """Another wallet of the scheduler."""
    return Wallet.generate()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the store of this test lies."""
    return tmp_path / "store"


@pytest.fixture
def opened(root: Path, wallet: Wallet):
    """Open the store of this test, as often as needed; at the end nothing of it is left running."""
    before = set(threading.enumerate())
    schedulers: list[Scheduler] = []

    def open_store(wallets=wallet, **options) -> Scheduler:
        # By default no deadline passes while a test waits for what it expects.
        scheduler = Scheduler.open(root, wallets, **{"deadline": 2 * PATIENCE, **options})
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
