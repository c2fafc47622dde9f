"""What a node hands to the programs it starts arrives there, and works."""

from __future__ import annotations

import pickle
import stat

import pytest

from actors.blocks import PolledBlockClock
from actors.uploader import Upload
from node.commons import Commons
from node.metrics.steps import Steps
from node.peers.bundler import BundlerUploader
from node.peers.client import Client
from node.peers.gateway import Gateway
from node.peers.rules import Rules
from node.sandbox import Sandbox
from protocol.message import Message
from tests.items import process_item
from tests.storage.programs import run


@pytest.fixture
def commons():
    """What the programs of a node share."""
    made = Commons.create()
    yield made
    made.remove()


def again(thing):
    """What another program makes of it."""
    return pickle.loads(pickle.dumps(thing))


def test_an_uploader_posts_from_where_it_was_sent(wallet, user_wallet) -> None:
    """It has the same bundler and the same rules, and a client of its own."""
    with Sandbox() as sandbox:
        rules = Rules().trusting(sandbox.url)
        with Client(rules) as client:
            sent = BundlerUploader(client, sandbox.url + "/")
            arrived = again(again(sent))
            sent.close()
        item = process_item(user_wallet, wallet.address)
        (receipt,) = arrived.upload([Upload(Message.decode(item).id, "message", item)])
        arrived.close()
        assert isinstance(receipt, str), receipt


def test_a_block_clock_asks_from_where_it_was_started() -> None:
    """It is stopped when it arrives, and asks the same gateway once it is started."""
    with Sandbox() as sandbox, Client(Rules().trusting(sandbox.url)) as client:
        running = PolledBlockClock(Gateway(client, sandbox.url).current_block, 0.01)
        running.start()
        arrived = again(running)
        asking = arrived._fetch.__self__._client
        running.stop()
        assert arrived.latest().height == 0
        arrived.start()
        while not arrived.latest().height:
            pass
        arrived.stop()
        asking.close()


def test_an_observer_counts_from_zero_where_it_was_sent() -> None:
    """What was counted before it left stays behind."""
    steps = Steps()
    steps.signed(4.0)
    arrived = again(steps)
    arrived.signed(1.0)
    (signing,) = arrived._signing.collect()
    assert [one.value for one in signing.samples if one.name.endswith("_sum")] == [1.0]


COUNTING = """
import pickle, sys
observer = pickle.loads(bytes.fromhex(sys.argv[1]))
for _ in range(3):
    observer.signed(0.5)
"""

READING = """
import sys
from pathlib import Path
from node.metrics import Metrics
from node.metrics.programs import forget_open, join

folder = Path(sys.argv[1])
join(folder, "gateway-0")
metrics = Metrics(folder)
metrics.asked()
metrics.asked()
metrics.answered("GET", 200, 0.1)
print(metrics.exposition().decode())
forget_open(folder, "gateway-0")
print("AFTER")
print(metrics.exposition().decode())
"""


def test_programs_count_together(commons) -> None:
    """Each number is there once, over all programs, those that ended and those that took over."""
    for program in ("shard-0", "shard-1", "shard-0"):
        run(COUNTING, pickle.dumps(commons.observer(program)).hex())
    text, _, after = run(READING, commons.numbers).partition("AFTER")
    assert text.count("ao_signing_seconds_count 9.0\n") == 1
    assert "ao_signing_seconds_sum 4.5\n" in text
    assert 'ao_http_requests_total{method="GET",status="200"} 1.0\n' in text
    assert "ao_http_requests_open 1.0\n" in text
    assert "ao_http_requests_open" not in after
    assert 'ao_http_requests_total{method="GET",status="200"} 1.0\n' in after
    assert len(list(commons.numbers.iterdir())) == 4


def test_what_programs_share_is_for_their_owner_only(commons) -> None:
    """Nobody else can enter the folder, and it goes with the node."""
    assert stat.S_IMODE(commons.folder.stat().st_mode) == 0o700
    commons.remove()
    commons.remove()
    assert not commons.folder.exists()
