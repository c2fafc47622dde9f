"""Measuring: the observer is told what happens, and can break nothing."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from actors import Stage
from actors.load import Load
from actors.observer import Observer
from protocol.errors import InvalidSignature
from protocol.message import verify
from tests.actors.outside import PATIENCE, Bundler, GatedSigner
from tests.items import message_item, process_item


class Notebook(Observer):
    """Write down what is told."""

    def __init__(self) -> None:
        self.told: Counter[object] = Counter()
        self.seconds: list[float] = []
        self.refusal = threading.Event()

    def reached(self, stage: Stage, seconds: float) -> None:
        self._note(stage, seconds)

    def refused(self, code: str) -> None:
        self.told[code] += 1
        self.refusal.set()

    def signed(self, seconds: float) -> None:
        self._note("signed", seconds)

    def committed(self, records: int, seconds: float) -> None:
        self.told["records"] += records
        self._note("commits", seconds)

    def uploaded(self, items: int, acknowledged: int, seconds: float) -> None:
        self.told["offered"] += items
        self.told["acknowledged"] += acknowledged
        self._note("offers", seconds)

    def _note(self, what: object, seconds: float) -> None:
        self.told[what] += 1
        self.seconds.append(seconds)


class Broken(Observer):
    """Fail at everything."""

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError("an observer's own mistake")


@pytest.fixture
def spawn(user_wallet, wallet):
    return process_item(user_wallet, wallet.address)


def test_every_step_is_told(opened, spawn, user_wallet) -> None:
    """Two slots: their stages, signatures, transactions and uploads."""
    observer = Notebook()
    scheduler = opened(observer=observer, uploader=Bundler())
    process = verify(spawn).process
    for item in (spawn, message_item(user_wallet, process)):
        scheduler.schedule(item).published.get(timeout=PATIENCE)
    commits = scheduler.load().commits
    scheduler.close()
    told = observer.told
    assert [told[stage] for stage in Stage] == [2, 2, 2]
    assert (told["signed"], told["offered"], told["acknowledged"]) == (2, 4, 4)
    assert (told["commits"], told["records"]) == (commits, 6)
    assert min(observer.seconds) >= 0


def test_a_refusal_is_told_by_its_code(opened, spawn, user_wallet) -> None:
    """Whoever refuses, once for each request."""
    observer = Notebook()
    scheduler = opened(observer=observer)
    item = message_item(user_wallet, verify(spawn).process)
    damaged = item[:-1] + bytes([item[-1] ^ 1])
    with pytest.raises(InvalidSignature):
        scheduler.assign(damaged)
    assert observer.refusal.wait(PATIENCE)
    assert observer.told == {"invalid_signature": 1}


def test_a_broken_observer_breaks_nothing(opened, spawn, warned) -> None:
    """It is logged, and scheduling goes on to the end."""
    scheduler = opened(observer=Broken())
    scheduler.schedule(spawn).published.get(timeout=PATIENCE)
    assert scheduler.status().fenced is None
    assert "observer_broken" in warned()


def test_the_load_says_how_much_is_under_way(opened, gate, spawn) -> None:
    """While the signer waits, the slot and its request are counted; then they are not."""
    scheduler = opened(signer=GatedSigner(gate))
    assert scheduler.load() == Load()
    ticket = scheduler.schedule(spawn)
    gate.wait_for_arrival()
    # The committer counts the slot when it comes to it; the signer may be there before.
    while not (under_way := scheduler.load()).under_way:
        assert not ticket.done
    assert (under_way.queued, under_way.under_way) == (1, 1)
    assert under_way.queued_bytes == len(spawn)
    assert under_way.live_processes == 1
    gate.open()
    ticket.published.get(timeout=PATIENCE)
    scheduler.close()
    after = scheduler.load()
    assert (after.queued, after.queued_bytes, after.under_way, after.to_sign) == (0, 0, 0, 0)


def test_a_reader_has_no_load(opened, spawn) -> None:
    """Nothing is under way where nothing is scheduled."""
    writer = opened()
    writer.assign(spawn)
    writer.close()
    assert opened(mode="disabled").load() == Load()
