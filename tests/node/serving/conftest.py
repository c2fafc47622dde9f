"""Servers for a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from node.config import Config
from tests.node.serving.living import PATIENCE_SECONDS, Living, echo

Start = Callable[..., Living]


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
