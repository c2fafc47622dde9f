"""Nodes to send requests to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.ids import Id
from protocol.wallet import Wallet
from tests.items import process_item
from tests.node.http.service import Service, Services


@pytest.fixture
def services(tmp_path: Path, wallet: Wallet) -> Iterator[Services]:
    """Starts nodes, and ends them after the test."""
    with Services(tmp_path, [wallet]) as services:
        yield services


@pytest.fixture
def service(services: Services) -> Service:
    """A node with the embedded defaults."""
    return services.start()


@pytest.fixture
def process(service: Service, user_wallet: Wallet, wallet: Wallet) -> Id:
    """A process that the node schedules; its slot 0 is stored."""
    reply = service.post("/push", process_item(user_wallet, wallet.address))
    assert reply.status_code == 200
    return Id.parse(reply.headers["process"])
