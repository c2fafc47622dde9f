"""Ask an Arweave gateway: the newest block, scheduler locations, published messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson

from node.peers.client import Answer, Client
from node.peers.deadline import deadline
from node.peers.graphql import BY_ID, LOCATIONS, Node, data_source, genuine_item, nodes_of
from node.peers.retries import retried, wait
from protocol.assignment import Block
from protocol.codecs.ans104 import Item
from protocol.errors import PeerFailed
from protocol.ids import Id

TOTAL_SECONDS = 30.0
"""For one question, with all its attempts and the requests it takes."""

MAX_RECORDS = 5
"""Location records per spelling: the one in the highest block need not have the newest nonce."""

MAX_NUMBER = 1 << 53
"""Above it a block's height or time is nonsense, and readers of JSON disagree about it."""

BLOCK_HASH = re.compile(r"[A-Za-z0-9_-]{43,64}")
"""Goes into assignments as it is, so nothing else may pass."""

JSON = ((b"content-type", b"application/json"),)

T = TypeVar("T")


class Gateway:
    """One Arweave gateway. What it says is verified where that is possible, and bounded anyway."""

    def __init__(self, client: Client, url: str, *, pause: Callable[[float], None] = wait) -> None:
        """Prepare; nothing is contacted.

        Args:
            client: whose rules allow the gateway, for example by trusting its URL.
            url: the gateway's.
            pause: waits so many seconds between attempts.
        """
        self._client = client
        self._url = url.rstrip("/")
        self._pause = pause

    def current_block(self) -> Block:
        """Return the newest block that the gateway knows. Nothing about it can be verified.

        Raises:
            PeerFailed: no answer, or one that is no block.
        """
        with deadline(TOTAL_SECONDS):
            return self._retried(lambda: block_of(self._get("/block/current").json()))

    def find_location(self, address: Id) -> list[Item]:
        """Return the location records that `address` signed, of any variant, in no certain order.

        Their signatures are verified. What is no ANS-104 item, such as a transaction of the
        base layer, is left out.

        Raises:
            PeerFailed: no answer, or nothing in it is genuine.
        """
        with deadline(TOTAL_SECONDS):
            nodes = self._query(LOCATIONS, {"owners": [str(address)], "first": MAX_RECORDS})
            items = [self._item(node) for node in nodes[: 3 * MAX_RECORDS]]
        found = [item for item in items if item and item.owner_address == address]
        if nodes and not found:
            raise PeerFailed("the gateway answered with nothing that the address signed")
        return found

    def find_message(self, message_id: Id) -> Item | None:
        """Return the item with this ID, its signature verified, or None if there is none.

        Raises:
            PeerFailed: no answer, or one that is not this item.
        """
        with deadline(TOTAL_SECONDS):
            nodes = self._query(BY_ID, {"ids": [str(message_id)]})
            if not nodes:
                return None
            item = self._item(nodes[0])
        if item is None or item.id != message_id:
            raise PeerFailed("the gateway answered with what is not the message")
        return item

    def _query(self, query: str, variables: Mapping[str, Any]) -> list[Node]:
        body = orjson.dumps({"query": query, "variables": variables})
        return self._retried(lambda: nodes_of(self._post("/graphql", body).json()))

    def _item(self, node: Node) -> Item | None:
        source = data_source(node)
        if source is None:
            return genuine_item(node, b"")
        return genuine_item(node, self._retried(lambda: self._get(f"/raw/{source}").body))

    def _get(self, path: str) -> Answer:
        return _usable(self._client.get(self._url + path, follow=True))

    def _post(self, path: str, body: bytes) -> Answer:
        return _usable(self._client.post(self._url + path, body, headers=JSON, follow=True))

    def _retried(self, ask: Callable[[], T]) -> T:
        return retried(ask, pause=self._pause)


def block_of(said: Any) -> Block:
    """Read a block as ``/block/current`` gives it.

    Raises:
        PeerFailed: a field is missing or cannot be true.
    """
    try:
        height, seconds, name = said["height"], said["timestamp"], said["indep_hash"]
        plausible = all(type(n) is int and 0 <= n < MAX_NUMBER for n in (height, seconds))
        if plausible and BLOCK_HASH.fullmatch(name):
            return Block(height, seconds, name)
    except (KeyError, TypeError):
        pass
    raise PeerFailed("the gateway's newest block is no block")


def _usable(answer: Answer) -> Answer:
    if not answer.ok:
        raise PeerFailed(f"the gateway answered with status {answer.status}")
    return answer
