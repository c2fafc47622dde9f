"""Nodes for commands to ask: a real one, and one that says what a test tells it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.config import Config
from node.http.app import application
from protocol.entry import Entry
from protocol.ids import Id
from protocol.wallet import Wallet
from tests.foreign import process_of, schedule
from tests.node.http.service import Service, Services
from tests.node.peers.far import FarNode, Raw
from tests.node.peers.outside import Server, reply
from tests.node.serving.living import Living


class Liar(FarNode):
    """A node of one process, which it stays whatever a test does to its entries.

    Attributes:
        claimed: the newest slot, as it says; None for what it has.
        given: the slot that every message gets, as it says.
        status: of its answers to messages.
    """

    def __init__(self, server: Server, entries: list[Entry]) -> None:
        self.claimed: int | None = None
        self.given, self.status = "4", 200
        self._named = process_of(entries)
        super().__init__(server, entries)

    @property
    def process(self) -> Id:
        return self._named

    def _of_process(self, name: str, query: dict[str, int]) -> Raw:
        if name == "slot" and self.claimed is not None:
            return reply(headers=[("current", str(self.claimed))])
        if name == "schedule" and not query:
            return reply(self.status, headers=[("slot", self.given)])
        return super()._of_process(name, query)


@pytest.fixture
def there(tmp_path: Path, wallet: Wallet) -> Iterator[Service]:
    """A real node with the scheduler's wallet."""
    with Services(tmp_path, [wallet]) as services:
        yield services.start()


@pytest.fixture
def url(there: Service) -> Iterator[str]:
    """Where the real node listens."""
    with Living(Config(server={"port": 0}), application(there.node)) as living:
        yield f"http://127.0.0.1:{living.port}"


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that says what it is told."""
    server = Server()
    yield server
    server.close()


@pytest.fixture
def liar(server: Server, user_wallet: Wallet, wallet: Wallet) -> Liar:
    """A node of one process with five slots: honest, until a test changes what it has."""
    return Liar(server, schedule(user_wallet, wallet, 5))


@pytest.fixture
def liars(server: Server) -> str:
    """Where that one listens."""
    return f"http://127.0.0.1:{server.port}"
