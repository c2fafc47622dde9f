from __future__ import annotations

import threading

import orjson
import pytest

from actors import Scheduler
from actors.blocks import PolledBlockClock
from actors.settings import PublishSettings, Settings
from node.peers.bundler import BundlerUploader
from node.peers.client import Client
from node.peers.gateway import Gateway
from node.peers.rules import Rules
from node.sandbox import Sandbox
from node.sandbox.blocks import Blocks
from node.sandbox.standin import StandIn
from protocol.assignment import Block
from protocol.errors import PublicationPending, UploadFailed
from protocol.message import verify
from tests.actors.outside import PATIENCE
from tests.items import message_item, process_item

QUICK = Settings(publish=PublishSettings(backoff_seconds=0.001, backoff_limit_seconds=0.01))
"""Tries again at once."""


class Publishing:
    """A scheduler that publishes through HTTP, and the sandbox that it publishes to."""

    def __init__(self, folder, wallet) -> None:
        self.sandbox = Sandbox(stand_in=StandIn(blocks=Blocks(lambda: 1_800_000_000.0)))
        self.url = self.sandbox.start()
        self._store = (folder / "store", wallet)
        self._client = Client(Rules(timeout_seconds=60).trusting(self.url))
        self._uploader = BundlerUploader(self._client, self.url)
        self._scheduler: Scheduler | None = None

    @property
    def gateway(self) -> Gateway:
        return Gateway(self._client, self.url)

    def open(self, **options) -> Scheduler:
        self.close_scheduler()
        self._scheduler = Scheduler.open(
            *self._store,
            uploader=self._uploader,
            **{"settings": QUICK, "deadline": 2 * PATIENCE, **options},
        )
        return self._scheduler

    def close_scheduler(self) -> None:
        if self._scheduler is not None:
            self._scheduler.close()

    def close(self) -> None:
        self.sandbox.heal()
        self.close_scheduler()
        self.sandbox.stop()
        self._uploader.close()
        self._client.close()


@pytest.fixture
def publishing(tmp_path, wallet):
    """A scheduler and a sandbox of this test; nothing of them is left running."""
    before = set(threading.enumerate())
    publishing = Publishing(tmp_path, wallet)
    yield publishing
    publishing.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)


@pytest.fixture
def spawn(user_wallet, wallet) -> bytes:
    return process_item(user_wallet, wallet.address)


class Countdown:
    """Wait for something to happen so many times."""

    def __init__(self, times: int) -> None:
        self._left = times
        self._over = threading.Event()

    def count(self) -> None:
        self._left -= 1
        if self._left <= 0:
            self._over.set()

    def wait(self) -> None:
        assert self._over.wait(PATIENCE)


def published(scheduler: Scheduler, item: bytes):
    """Schedule an item and wait until it is published."""
    return scheduler.schedule(item).published.get(timeout=PATIENCE)


@pytest.mark.guarantee("S5", "L3")
def test_what_is_published_is_at_the_bundler(publishing, spawn) -> None:
    """Message and assignment are there, byte by byte, and the receipt holds the bundler's words."""
    scheduler = publishing.open()
    assignment = published(scheduler, spawn)
    assert list(publishing.sandbox.items()) == [assignment.message_id, assignment.id]
    assert publishing.sandbox.items()[assignment.message_id] == spawn
    receipt = scheduler.receipt(assignment.process, 0)
    assert [orjson.loads(words)["id"] for _, words in receipt.items] == [
        str(assignment.message_id),
        str(assignment.id),
    ]
    found = publishing.gateway.find_message(assignment.id)
    assert found.owner_address == assignment.commitments[0].committer
    assert (b"slot", b"0") in found.tags


@pytest.mark.guarantee("L3")
@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("manner", ["fail", "drop"])
def test_failures_are_outlasted(publishing, spawn, manner: str, applied: bool) -> None:
    """Errors and lost answers delay publication; what was taken and not told is offered again."""
    getattr(publishing.sandbox, manner)("tx", times=5, applied=applied)
    assignment = published(publishing.open(), spawn)
    assert set(publishing.sandbox.items()) == {assignment.message_id, assignment.id}
    assert publishing.sandbox.asked("tx") == 7


@pytest.mark.guarantee("S5", "L3")
def test_an_acknowledgement_of_something_else_publishes_nothing(publishing, spawn) -> None:
    """A bundler that lies is not believed; once it does not, the slot is published."""
    publishing.sandbox.lie("tx", times=3)
    assignment = published(publishing.open(), spawn)
    assert publishing.sandbox.items()[assignment.message_id] == spawn
    assert publishing.sandbox.asked("tx") == 5


def test_a_refused_item_is_reported_and_holds_up_no_other_process(
    publishing, spawn, user_wallet, wallet
) -> None:
    """The bundler's words of refusal are the operator's to read."""
    publishing.sandbox.fail("tx", times=1, status=422)
    slow = Settings(publish=PublishSettings(backoff_limit_seconds=3600))
    scheduler = publishing.open(settings=slow)
    ticket = scheduler.schedule(spawn)
    process = ticket.stored.get(timeout=PATIENCE).process
    published(scheduler, process_item(user_wallet, wallet.address, Name="other"))
    slot, reason = scheduler.status().stuck[process]
    assert slot == 0
    assert "422" in reason
    assert not ticket.published.done


def test_a_slow_bundler_holds_up_publication_only(publishing, spawn) -> None:
    """Slots are given and stored meanwhile; who waits for publication is told it is pending."""
    publishing.sandbox.delay("tx")
    ticket = publishing.open(deadline=2).schedule(spawn)
    assert ticket.stored.get(timeout=PATIENCE).slot == 0
    with pytest.raises(PublicationPending):
        ticket.published.get(timeout=PATIENCE)
    publishing.sandbox.heal()


@pytest.mark.guarantee("L3")
def test_what_the_bundler_lost_is_filled_in_again(publishing, spawn, user_wallet) -> None:
    """Items that were acknowledged and forgotten can be uploaded again."""
    publishing.sandbox.forget(times=1)
    scheduler = publishing.open()
    process = published(scheduler, spawn).process
    published(scheduler, message_item(user_wallet, process))
    assert process not in publishing.sandbox.items()
    assert scheduler.backfill(process) == 2
    assert publishing.sandbox.items()[process] == spawn
    publishing.sandbox.fail("tx", times=1)
    with pytest.raises(UploadFailed):
        scheduler.backfill(process)


@pytest.mark.guarantee("L3")
def test_publication_goes_on_after_a_restart(publishing, spawn, user_wallet) -> None:
    """What one run stored and could not publish is published by the next one."""
    publishing.sandbox.fail("tx")
    scheduler = publishing.open()
    process = verify(spawn).message_id
    items = [spawn, *(message_item(user_wallet, process, n) for n in range(5))]
    for item in items:
        scheduler.schedule(item).stored.get(timeout=PATIENCE)
    publishing.close_scheduler()
    publishing.sandbox.heal()
    assert published(publishing.open(), items[-1]).slot == 5
    assert set(publishing.sandbox.items().values()) >= set(items)
    assert len(publishing.sandbox.items()) == 12


def test_the_newest_block_gets_into_assignments(publishing, spawn) -> None:
    """A clock that asks the gateway tells the scheduler its block."""
    asked = Countdown(2)  # when it asks again, it has kept the first answer

    def fetch() -> Block:
        asked.count()
        return publishing.gateway.current_block()

    scheduler = publishing.open(block_clock=PolledBlockClock(fetch, interval=0.001))
    asked.wait()
    assert scheduler.assign(spawn).block == publishing.gateway.current_block()


def test_the_same_connections_serve_many_slots(publishing, spawn, user_wallet) -> None:
    """Uploads reuse connections instead of opening one each."""
    scheduler = publishing.open()
    process = published(scheduler, spawn).process
    items = [message_item(user_wallet, process, n) for n in range(50)]
    for ticket in [scheduler.schedule(item) for item in items]:
        ticket.published.get(timeout=PATIENCE)
    assert len(publishing.sandbox.items()) == 102
    assert publishing.sandbox.connections() <= 64
