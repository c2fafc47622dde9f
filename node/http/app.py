"""The ASGI application of a node."""

from __future__ import annotations

from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from actors.events import log
from node.http.cors import Cors
from node.http.problems import problem_of_defect, problem_of_http
from node.http.refusals import refusals
from node.http.routes import routes
from node.node import Node
from protocol.errors import SchedulerError


def application(node: Node) -> Starlette:
    """Return the application that serves `node`, without limits around it.

    It starts and stops nothing: the node is open before and closed after.
    """
    written = refusals(node)

    async def refused(request: Request, error: Exception) -> Response:
        refusal = cast("SchedulerError", error)
        node.metrics.refused(refusal.code)
        return written(refusal, request.scope)

    return Starlette(
        routes=routes(node),
        middleware=[Middleware(Cors)],
        exception_handlers={
            SchedulerError: refused,
            HTTPException: _not_served,
            Exception: _failed,
        },
    )


async def _not_served(_request: Request, error: Exception) -> Response:
    return problem_of_http(cast("HTTPException", error))


async def _failed(request: Request, error: Exception) -> Response:
    # The server logs the traceback; whoever asked learns nothing of our insides.
    log.warning("request_failed", method=request.method, path=request.url.path, error=repr(error))
    return problem_of_defect()
