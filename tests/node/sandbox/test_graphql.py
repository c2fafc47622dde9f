from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.sandbox.graphql import answer, fields_of
from node.sandbox.shelf import Shelf
from node.sandbox.standin import StandIn
from protocol.codecs import ans104
from protocol.errors import InvalidInput
from protocol.ids import digest_id

BLOCK = StandIn().blocks.current()

AOCONNECT = """
query GetTransactions ($transactionIds: [ID!]!) {
  transactions(ids: $transactionIds) { edges { node { tags { name value } } } }
}"""

LOCATION = """query ($owners: [String!]!) {
  transactions(first: 1, sort: HEIGHT_DESC, owners: $owners,
    tags: [{ name: "Data-Protocol", values: ["ao"] }, { name: "Type", values: ["A", "Location"] }]
  ) { edges { node { tags { name value } } } } }"""

SINGLE = """query { one: transactions(owners: "%s", tags: {name: "Type" values: "A"}, first: 1) {
  edges { node { id } } } transaction(id: "%s") { id } }"""


@pytest.fixture(scope="module")
def items(wallet) -> list[ans104.Item]:
    """Two items of one owner, told apart by a tag."""
    kinds = ((b"A", b"ao"), (b"Location", b"ao"))
    return [
        ans104.sign(ans104.unsigned([(b"Type", kind), (b"Data-Protocol", ao)]), wallet)
        for kind, ao in kinds
    ]


@pytest.fixture
def shelf(items) -> Shelf:
    """A shelf with these items."""
    shelf = Shelf()
    for item in items:
        shelf.keep(item)
    return shelf


def asked(shelf: Shelf, query: str, **variables):
    request = orjson.dumps({"query": query, "variables": variables})
    return answer(request, shelf, BLOCK, lambda node: node)["data"]


def found(connection) -> list[str]:
    return [edge["node"]["id"] for edge in connection["edges"]]


def test_items_are_found_by_id(shelf, items) -> None:
    """The query that clients look up processes with."""
    wanted = [str(items[0].id), str(digest_id(b"nothing"))]
    said = asked(shelf, AOCONNECT, transactionIds=wanted)
    assert found(said["transactions"]) == wanted[:1]


def test_items_are_found_by_owner_and_tags(shelf, items, user_wallet) -> None:
    """All tags must match, each with one of its values; the newest item comes first."""
    owner = str(items[0].owner_address)
    assert found(asked(shelf, LOCATION, owners=[owner])["transactions"]) == [str(items[1].id)]
    stranger = str(user_wallet.address)
    assert found(asked(shelf, LOCATION, owners=[stranger])["transactions"]) == []


def test_single_values_and_names_of_ones_own_work(shelf, items) -> None:
    """As GraphQL has it: one value for a list of one, aliases, several fields in a query."""
    said = asked(shelf, SINGLE % (items[0].owner_address, items[1].id))
    assert found(said["one"]) == [str(items[0].id)]
    assert said["transaction"]["id"] == str(items[1].id)


def test_a_node_says_all_that_an_item_holds(shelf, items) -> None:
    """Whoever reads a node can build the item again."""
    (edge,) = asked(shelf, AOCONNECT, transactionIds=[str(items[0].id)])["transactions"]["edges"]
    assert edge["node"]["tags"][0] == {"name": "Type", "value": "A"}
    assert edge["node"]["owner"]["address"] == str(items[0].owner_address)
    assert edge["node"]["block"]["height"] == BLOCK["height"]
    assert edge["node"]["recipient"] == ""


def test_a_querys_own_name_is_no_field() -> None:
    """What stands outside of the braces asks for nothing."""
    assert list(fields_of("query transactions { transaction(id: null) { id } }", {})) == [
        *fields_of("{ transaction(id: null) }", {})
    ]


@pytest.mark.parametrize(
    "request_body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"query": 7}',
        b'{"query": "{ transactions(ids: [" }',
        b'{"query": "{ transactions(ids) }" }',
        b'{"query": "{ transactions(ids: \\"\\\\x\\") }" }',
        b'{"query": "{ transaction }" }',
        b'{"query": "{ transactions(tags: [{}]) }" }',
        b'{"query": "{ transactions(first: \\"x\\") }" }',
        b'{"query": "{ transactions(ids: ' + b"[" * 50 + b'"}',
    ],
)
def test_what_is_no_query_is_refused(request_body: bytes) -> None:
    """A broken request gets an error, not half an answer."""
    with pytest.raises(InvalidInput):
        answer(request_body, Shelf(), BLOCK, lambda node: node)


WORDS = st.sampled_from(
    [*"(){}[]:$,-", "transactions", "transaction", "ids", "$x", '"a"', "7", "-"]
)


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_any_text_is_answered_or_refused(query: str) -> None:
    """No query breaks the sandbox."""
    try:
        said = asked(Shelf(), "{" + query, x=["a"])
    except InvalidInput:
        return
    assert isinstance(said, dict)
