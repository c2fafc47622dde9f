from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.peers.client import Client
from node.peers.gateway import Gateway, block_of
from node.peers.graphql import data_source, genuine_item, nodes_of
from node.peers.rules import Rules
from node.sandbox import Sandbox
from node.sandbox.graphql import node as node_of
from node.sandbox.shelf import admitted
from node.sandbox.standin import StandIn
from protocol.assignment import Block
from protocol.codecs import ans104
from protocol.errors import PeerFailed
from protocol.ids import digest_id
from tests.items import process_item
from tests.node.peers.outside import reply

BLOCK = {"height": 1_500_000, "timestamp": 1_700_000_000, "indep_hash": "h" * 64}


@pytest.fixture
def sandbox():
    """A gateway that has nothing yet."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def gateway(sandbox):
    """What asks it, without pauses between attempts."""
    with Client(Rules().trusting(sandbox.url)) as client:
        yield Gateway(client, sandbox.url, pause=lambda _: None)


@pytest.fixture
def told(client):
    """What asks a gateway that says what a test tells it."""
    return Gateway(client, "http://node.example/", pause=lambda _: None)


def location(wallet, name: bytes = b"type", value: bytes = b"scheduler-location") -> ans104.Item:
    tags = ((b"data-protocol", b"ao"), (name, value), (b"url", b"http://node.example"))
    return ans104.sign(ans104.unsigned(tags), wallet)


def test_the_newest_block_is_read(sandbox, gateway) -> None:
    """Height, time and hash are the gateway's."""
    block = sandbox.stand_in.blocks.current()
    assert gateway.current_block() == Block(
        block["height"], block["timestamp"], block["indep_hash"]
    )


def test_a_gateway_that_fails_for_a_moment_is_asked_again(sandbox, gateway) -> None:
    """Two failures in a row cost a question nothing, three do."""
    sandbox.fail("block", times=2, status=503)
    assert gateway.current_block().height > 0
    sandbox.drop("block", times=3)
    with pytest.raises(PeerFailed):
        gateway.current_block()
    assert sandbox.asked("block") == 6


def test_a_block_that_cannot_be_is_none(sandbox, gateway) -> None:
    """A lie that can be told from a block is not passed on."""
    sandbox.lie("block")
    with pytest.raises(PeerFailed):
        gateway.current_block()


@pytest.mark.parametrize(
    "wrong",
    [
        {"height": -1},
        {"height": "1500000"},
        {"height": True},
        {"height": 1.5},
        {"height": 1 << 53},
        {"height": None},
        {"timestamp": -1},
        {"timestamp": 10**30},
        {"indep_hash": ""},
        {"indep_hash": "h" * 65},
        {"indep_hash": "h" * 63 + "\n"},
        {"indep_hash": "h" * 60 + "\r\n: "},
        {"indep_hash": 7},
        {"indep_hash": None},
    ],
)
def test_no_nonsense_gets_into_assignments(wrong: dict[str, object]) -> None:
    """Each field of a block has its type and its bounds."""
    assert block_of(BLOCK) == Block(1_500_000, 1_700_000_000, "h" * 64)
    with pytest.raises(PeerFailed):
        block_of({**BLOCK, **wrong})


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "edges", "node", "id", "size", "owner", "key", "tags", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(ANY_JSON)
def test_any_answer_is_read_or_is_the_peers_failure(said) -> None:
    """No answer of a gateway, however it is shaped, becomes another error."""
    for read in (block_of, nodes_of, data_source):
        try:
            read(said)
        except PeerFailed:
            continue
    assert genuine_item(said, b"") is None


def test_a_message_is_found_exactly_as_it_was_published(
    sandbox, gateway, user_wallet, wallet
) -> None:
    """What comes back from GraphQL and raw data is, byte by byte, the item that was posted."""
    raw = process_item(user_wallet, wallet.address, data="some data")
    item = admitted(raw)
    sandbox.stand_in.shelf.keep(item)
    assert gateway.find_message(item.id).encode() == raw
    assert gateway.find_message(digest_id(b"nothing")) is None


def test_items_with_every_field_are_found(sandbox, gateway, user_wallet) -> None:
    """Target, anchor, empty data and tags beyond ASCII survive the way through GraphQL."""
    for item in (
        ans104.unsigned(),
        ans104.unsigned([(b"Name", "Grüße".encode())], b"\x00\xff", bytes(32), b"\x01" * 32),
    ):
        signed = ans104.sign(item, user_wallet)
        sandbox.stand_in.shelf.keep(signed)
        assert gateway.find_message(signed.id) == signed


@pytest.mark.parametrize("route", ["graphql", "raw"])
def test_a_forged_message_is_not_passed_on(sandbox, gateway, user_wallet, wallet, route) -> None:
    """A changed tag or a changed byte of data does not verify."""
    item = admitted(process_item(user_wallet, wallet.address, data="some data"))
    sandbox.stand_in.shelf.keep(item)
    sandbox.lie(route)
    with pytest.raises(PeerFailed, match="not the message"):
        gateway.find_message(item.id)


def test_another_message_is_not_the_one_asked_for(told, server, user_wallet) -> None:
    """A genuine item with another ID is no answer."""
    other = location(user_wallet)
    server.answers["/graphql"] = graphql(other)
    assert told.find_message(other.id) == other
    with pytest.raises(PeerFailed):
        told.find_message(digest_id(b"wanted"))


def test_locations_are_found_in_every_spelling(sandbox, gateway, user_wallet, wallet) -> None:
    """Records of all variants that an address signed come back, and nobody else's."""
    ours = [
        location(wallet),
        location(wallet, value=b"location"),
        location(wallet, b"Type", b"Scheduler-Location"),
    ]
    for item in (*ours, location(user_wallet), location(wallet, value=b"message")):
        sandbox.stand_in.shelf.keep(item)
    found = gateway.find_location(wallet.address)
    assert sorted(item.id for item in found) == sorted(item.id for item in ours)
    assert gateway.find_location(digest_id(b"nobody")) == []


def test_a_record_that_is_not_genuine_is_left_out(told, server, user_wallet, wallet) -> None:
    """Genuine records count beside others; if there are only others, the gateway is at fault."""
    genuine, foreign = location(wallet), location(user_wallet)
    forged = ans104.with_signature(location(wallet, value=b"location"), wallet.owner, bytes(512))
    server.answers["/graphql"] = graphql(forged, genuine, foreign)
    assert told.find_location(wallet.address) == [genuine]
    server.answers["/graphql"] = graphql(forged, foreign)
    with pytest.raises(PeerFailed):
        told.find_location(wallet.address)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b'{"errors":[]}', b'{"data":{"x":{"edges":[{}]}}}']
)
def test_an_answer_that_is_no_result_is_the_gateways_failure(told, server, body: bytes) -> None:
    """GraphQL answers errors with status 200; they are failures all the same."""
    server.answers["/graphql"] = reply(body=body)
    with pytest.raises(PeerFailed):
        told.find_message(digest_id(b"any"))


def graphql(*items: ans104.Item) -> bytes:
    block = StandIn().blocks.current()
    edges = [{"node": node_of(item, block)} for item in items]
    return reply(body=orjson.dumps({"data": {"found": {"edges": edges}}}))
