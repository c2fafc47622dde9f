from __future__ import annotations

import threading

import orjson
import pytest

from node.peers.client import Client
from node.peers.rules import Rules
from node.sandbox import Sandbox
from node.sandbox.blocks import BLOCK_SECONDS, Blocks
from node.sandbox.shelf import Shelf, admitted
from protocol.codecs.ans104 import MAX_ITEM_BYTES
from protocol.errors import PeerFailed
from protocol.ids import digest_id
from tests.items import process_item


@pytest.fixture
def raw(user_wallet, wallet) -> bytes:
    """An item to upload."""
    return process_item(user_wallet, wallet.address, data="data")


def order(client, sandbox, **told) -> dict:
    """Give an order over HTTP, as people and other programs do."""
    answer = client.post(f"{sandbox.url}/control", orjson.dumps(told))
    assert answer.ok, answer.body
    return answer.json()


@pytest.mark.parametrize("path", ["/tx", "/tx/arweave", "/tx?x=y"])
def test_an_item_is_taken_and_served(client, sandbox, raw, path: str) -> None:
    """A bundler's routes take an item; the gateway's serve its data."""
    item = admitted(raw)
    answer = client.post(sandbox.url + path, raw)
    assert answer.json()["id"] == str(item.id)
    assert sandbox.items() == {item.id: raw}
    assert client.get(f"{sandbox.url}/raw/{item.id}").body == item.data


def test_only_items_that_bundlers_take_are_taken(client, sandbox, raw) -> None:
    """Bytes that are no item, a broken signature and too large a body are refused."""
    for body in (b"", b"\x01\x00", raw[:-1] + b"!"):
        assert client.post(f"{sandbox.url}/tx", body).status == 400
    assert client.post(f"{sandbox.url}/tx", bytes(MAX_ITEM_BYTES + 1)).status == 413
    assert sandbox.items() == {}


def test_what_is_not_there_is_not_found(client, sandbox) -> None:
    """Unknown paths and items are 404, what is no ID is 400."""
    assert client.get(f"{sandbox.url}/raw/{digest_id(b'none')}").status == 404
    assert client.get(f"{sandbox.url}/raw/none").status == 400
    assert client.get(f"{sandbox.url}/tx").status == 404
    assert client.get(f"{sandbox.url}/").status == 404


def test_blocks_grow_with_the_clock() -> None:
    """A later moment has a higher block with another hash; the same moment has the same one."""
    before, same, after = (Blocks(lambda t=t: t).current() for t in (0, 1, BLOCK_SECONDS))
    assert before == same
    assert after["height"] == before["height"] + 1
    assert after["previous_block"] == before["indep_hash"] != after["indep_hash"]
    assert len(after["indep_hash"]) == 64


def test_both_forms_of_the_newest_block_agree(client, sandbox) -> None:
    """The older route tells the same height."""
    block = client.get(f"{sandbox.url}/block/current").json()
    assert client.get(f"{sandbox.url}/info").json()["height"] >= block["height"]


def test_it_fails_as_often_as_it_is_told(client, sandbox, raw) -> None:
    """A fault for one route leaves the others alone, and ends by itself."""
    order(client, sandbox, kind="fail", route="tx", times=2, status=503)
    assert client.get(f"{sandbox.url}/info").ok
    statuses = [client.post(f"{sandbox.url}/tx", raw).status for _ in range(3)]
    assert statuses == [503, 503, 200]
    assert sandbox.asked("tx") == 3


def test_it_fails_after_the_work_is_done(client, sandbox, raw) -> None:
    """A failure can hide that the item was taken."""
    order(client, sandbox, kind="fail", applied=True)
    assert client.post(f"{sandbox.url}/tx", raw).status == 500
    assert len(sandbox.items()) == 1


def test_it_hangs_up(client, sandbox, raw) -> None:
    """A dropped request gets no answer at all, until it is healed."""
    order(client, sandbox, kind="drop")
    with pytest.raises(PeerFailed):
        client.post(f"{sandbox.url}/tx", raw)
    assert order(client, sandbox, kind="heal")["faults"] == []
    assert client.post(f"{sandbox.url}/tx", raw).ok


def test_it_forgets_what_it_acknowledges(client, sandbox, raw) -> None:
    """An acknowledged item is nowhere to be found."""
    sandbox.forget()
    assert client.post(f"{sandbox.url}/tx", raw).ok
    assert client.get(f"{sandbox.url}/raw/{admitted(raw).id}").status == 404


def test_it_lies(client, sandbox, raw) -> None:
    """Every route says something plausible that is not true."""
    item = admitted(raw)
    client.post(f"{sandbox.url}/tx", raw)
    order(client, sandbox, kind="lie")
    assert client.post(f"{sandbox.url}/tx", raw).json()["id"] != str(item.id)
    assert client.get(f"{sandbox.url}/raw/{item.id}").body != item.data
    assert client.get(f"{sandbox.url}/block/current").json()["height"] < 0
    query = orjson.dumps({"query": f'{{ transaction(id: "{item.id}") {{ id }} }}'})
    forged = client.post(f"{sandbox.url}/graphql", query).json()["data"]["transaction"]
    assert forged["id"] == str(item.id)
    assert len(forged["tags"]) == len(item.tags) + 1


def test_it_answers_late(client, sandbox) -> None:
    """A delay lasts so long, or until it is healed."""
    sandbox.delay("info", seconds=0.01, times=1)
    assert client.get(f"{sandbox.url}/info").ok
    sandbox.delay("info")
    answered = threading.Event()

    def ask() -> None:
        client.get(f"{sandbox.url}/info")
        answered.set()

    thread = threading.Thread(target=ask)
    thread.start()
    assert client.get(f"{sandbox.url}/block/current").ok
    assert not answered.is_set()
    sandbox.heal()
    thread.join(30)
    assert answered.is_set()


def test_it_ends_while_somebody_waits(raw) -> None:
    """Stopping lets go of delayed requests and idle connections, and may be repeated."""
    sandbox = Sandbox()
    url = sandbox.start()
    sandbox.delay("tx")
    with Client(Rules(timeout_seconds=60).trusting(url)) as client:
        thread = threading.Thread(target=ended, args=(client, url, raw))
        thread.start()
        while sandbox.asked("tx") == 0:
            client.get(f"{url}/info")
        sandbox.stop()
        thread.join(30)
        assert not thread.is_alive()
        with pytest.raises(PeerFailed):
            client.get(f"{url}/info")
    sandbox.stop()


def ended(client, url: str, raw: bytes) -> None:
    try:
        client.post(f"{url}/tx", raw)
    except PeerFailed:
        return


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"[]",
        b"7",
        b"{}",
        b'{"kind": "explode"}',
        b'{"kind": "fail", "route": "nowhere"}',
        b'{"kind": "fail", "loud": true}',
        b'{"kind": "fail", "times": "3"}',
        b'{"kind": "fail", "status": "bad"}',
        b'{"kind": "delay", "seconds": "long"}',
    ],
)
def test_an_order_that_makes_no_sense_is_refused(client, sandbox, told: bytes) -> None:
    """Mistakes in an order are told, and change nothing."""
    assert client.post(f"{sandbox.url}/control", told).status == 400
    assert client.get(f"{sandbox.url}/control").json()["faults"] == []


def test_the_oldest_items_go_when_there_is_no_room(user_wallet, wallet) -> None:
    """Memory is bounded; keeping an item twice takes no room."""
    items = [admitted(process_item(user_wallet, wallet.address, Name=str(n))) for n in range(4)]
    shelf = Shelf(capacity=3 * len(items[0].encode()))
    for item in (*items, items[-1]):
        shelf.keep(item)
    assert list(shelf.all()) == [item.id for item in items[1:]]
