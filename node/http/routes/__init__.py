"""All routes of a node, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.routing import BaseRoute

from node import explorer
from node.http import dispatch
from node.http.routes import legacy, stream
from node.metrics import routes as looks
from node.node import Node

MAKERS: Sequence[Callable[[Node], Sequence[BaseRoute]]] = (
    looks.routes,
    explorer.routes,
    legacy.routes,
    stream.routes,
    # What takes every request that is left stands last.
    dispatch.routes,
)
"""Functions that make the routes of one part.

A Starlette route whose `matches` returns `Match.NONE` leaves the request to the next one, so
a part may look at the query or at `accept` before it takes an address that others serve, too.
What a route raises as a `SchedulerError` becomes a problem reply; a part with another shape of
error catches its own.
"""


def routes(node: Node) -> list[BaseRoute]:
    """Return the routes that serve `node`."""
    return [route for make in MAKERS for route in make(node)]
