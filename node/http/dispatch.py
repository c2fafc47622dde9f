"""The one route for everything that HyperBEAM's path grammar can name."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from node.http.path import Path
from node.node import Node
from protocol.errors import NotFound


class Dispatcher:
    """Find out what a request asks of which device, and have it answered."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = Path.parse(scope["raw_path"], scope["query_string"])
        raise NotFound(f"nothing here is called {path.key!r}")


def routes(node: Node) -> list[BaseRoute]:
    """Return the route that takes every request."""
    return [Route("/{path:path}", Dispatcher(node))]
