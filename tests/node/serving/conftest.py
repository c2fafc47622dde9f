"""Servers for a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from node.config import Config
from protocol.wallet import Wallet
from tests.node.serving.living import PATIENCE_SECONDS, Living, echo
from tests.node.serving.nodes import Load

Start = Callable[..., Living]


@pytest.fixture
def file(tmp_path: Path, wallet: Wallet) -> Path:
    """The wallet's file."""
    wallet.save(tmp_path / "wallet.json")
    return tmp_path / "wallet.json"


@pytest.fixture
def load(user_wallet: Wallet, wallet: Wallet) -> Load:
    """Messages for one process."""
    return Load(user_wallet, wallet.address)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start servers, with settings by section, and end them after the test."""
    with ExitStack() as stack:

        def living(app: Any = echo, *, guarded: bool = True, **sections: dict[str, Any]) -> Living:
            server = {"port": 0, "graceful_seconds": 5, **sections.pop("server", {})}
            # However slow this machine is, nobody is hung up on whom a test did not mean.
            limits = {"header_seconds": 2 * PATIENCE_SECONDS, **sections.pop("limits", {})}
            config = Config(server=server, limits=limits, **sections)
            return stack.enter_context(Living(config, app, guarded=guarded))

        yield living
