"""A client between its rules and an internet of one server."""

from __future__ import annotations

import pytest

from node.peers.client import Client
from node.peers.rules import Rules
from tests.node.peers.outside import PUBLIC, Internet, Server


@pytest.fixture
def server():
    """A server that says what it is told."""
    server = Server()
    yield server
    server.close()


@pytest.fixture
def internet(server) -> Internet:
    """Where `node.example` is at a public address."""
    internet = Internet(server)
    internet.names["node.example"] = [[PUBLIC]]
    return internet


@pytest.fixture
def asking(internet):
    """Make clients with some rules."""
    clients: list[Client] = []

    def client(**rules) -> Client:
        made = Client(Rules(**rules), resolver=internet.resolve, network=internet)
        clients.append(made)
        return made

    yield client
    for made in clients:
        made.close()


@pytest.fixture
def client(asking) -> Client:
    """A client as strangers' URLs are asked with."""
    return asking()
