"""Servers for a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from node.config import Config
from tests.node.serving.living import Living, echo

Start = Callable[..., Living]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start servers, with settings by section, and end them after the test."""
    with ExitStack() as stack:

        def living(app: Any = echo, *, guarded: bool = True, **sections: dict[str, Any]) -> Living:
            server = {"port": 0, "graceful_seconds": 5, **sections.pop("server", {})}
            config = Config(server=server, **sections)
            return stack.enter_context(Living(config, app, guarded=guarded))

        yield living
