"""A sandbox, and a client that trusts it."""

from __future__ import annotations

import pytest

from node.peers.client import Client
from node.peers.rules import Rules
from node.sandbox import Sandbox


@pytest.fixture
def sandbox():
    """A sandbox that has nothing yet."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox):
    """What asks it."""
    with Client(Rules(timeout_seconds=60).trusting(sandbox.url)) as client:
        yield client
