"""Refusals, in the form of the interface that was asked."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from node.http.legacy.answers import refusal
from node.http.problems import problem
from node.http.routes import legacy
from node.node import Node
from protocol.errors import SchedulerError


def refusals(node: Node) -> Callable[[SchedulerError, Scope], Response]:
    """Return what writes a refusal, by a route or before any of them has seen the request.

    A request that the legacy interface serves, or would have, is told as its clients expect.
    """
    older = legacy.routes(node)

    def written(error: SchedulerError, scope: Scope) -> Response:
        try:
            is_older = any(route.matches(scope)[0] is Match.FULL for route in older)
        except SchedulerError:
            # Whose address cannot be read, or is asked of a store that is closed.
            is_older = False
        return refusal(error) if is_older else problem(error)

    return written
