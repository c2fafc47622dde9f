"""Clients of a node, who ask again over HTTP until they are answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue

import httpx

from actors import Stage
from protocol.assignment import Assignment
from protocol.codecs.assignment import of_tabm
from tests.crash.telling import Failed, Item, Record, Told
from tests.node.http.replies import message_of
from tests.node.serving.nodes import ANS104

CLIENTS = 6
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.05

ASK_AGAIN = {503, 504}
"""What a node answers while a shard starts again, and where it does not know."""

NAMES = {Stage.ASSIGNED: "aggressive", Stage.STORED: "local", Stage.PUBLISHED: "remote"}
STAGES = {name: stage for stage, name in NAMES.items()}


class Clients:
    """Post items to a node whose programs end meanwhile, each item until it has its slot.

    Attributes:
        url: where the node listens now.
        answered: has one entry for each item of the present round that was answered.
    """

    def __init__(self) -> None:
        self.url = ""
        self.answered: SimpleQueue[Item] = SimpleQueue()
        self._closed = False
        self._threads = ThreadPoolExecutor(CLIENTS, "client")
        self._pause = threading.Event()
        self._client = httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False)

    def post_all(self, items: Sequence[Item]) -> Callable[[], list[Record]]:
        """Begin to post; return what waits until all are answered, and tells the answers."""
        self.answered = SimpleQueue()
        futures = [self._threads.submit(self._post, item) for item in items]
        return lambda: [future.result(timeout=PATIENCE_SECONDS) for future in futures]

    def wait_for(self, answers: int) -> None:
        """Wait until so many more items were answered."""
        for _ in range(answers):
            self.answered.get(timeout=PATIENCE_SECONDS)

    def close(self) -> None:
        """End the clients."""
        self._closed = True
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._client.close()

    def _post(self, item: Item) -> Record:
        while (reply := self._ask(item)) is None or reply.status_code in ASK_AGAIN:
            # After the test nobody listens any more.
            assert not self._closed
            self._pause.wait(PAUSE_SECONDS)
        self.answered.put(item)
        if reply.status_code != 200:
            return Failed(item.id, item.mode.stage, reply.text)
        return Told(item.id, STAGES[reply.headers["confirmation"]], told(reply))

    def _ask(self, item: Item) -> httpx.Response | None:
        headers = {**ANS104, "confirmation": NAMES[item.mode.stage]}
        # The node, or the gateway at the other end, may be gone: another one comes.
        with suppress(httpx.TransportError):
            return self._client.post(f"{self.url}/schedule", content=item.encoded, headers=headers)
        return None


def told(reply: httpx.Response) -> Assignment:
    """The assignment that a reply is, with its signatures."""
    return of_tabm(message_of(reply))
