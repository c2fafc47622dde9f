"""Replies of the legacy interface: JSON, and errors as ``{"error": "…"}``."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from node.http.request import Call, read_call
from protocol.errors import NotOurProcess, SchedulerError

Answer = Callable[[Call], Awaitable[Response]]

_KEPT = frozenset((408, 413, 415, 429, 431))
"""Statuses that say more than that the request is wrong: what is too slow, large or often."""
_SERVER_ERROR = 500


def served(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that reads a request and answers it."""

    async def endpoint(request: Request) -> Response:
        return await answer(await read_call(request.scope, request.receive))

    return endpoint


def written(content: bytes | dict[str, Any], status: int = 200) -> Response:
    """Return a JSON reply, which the next slot may change; bytes are JSON already."""
    encoded = content if isinstance(content, bytes) else orjson.dumps(content)
    headers = {"cache-control": "no-store"}
    return Response(encoded, status, headers, "application/json")


def refusal(error: SchedulerError) -> Response:
    """Return the reply that tells of `error`.

    Clients of this interface know 400 for whatever is wrong with a request, also for what is
    not found; 403 where a process is another scheduler's; and what is too large or too soon.
    """
    # An error may repeat what the request said, which need not be Unicode.
    detail = error.detail.encode("utf-8", "replace").decode()
    reply = written({"error": detail}, _status(error))
    if error.retry_after is not None:
        reply.headers["retry-after"] = str(math.ceil(error.retry_after))
    return reply


def _status(error: SchedulerError) -> int:
    if error.status in _KEPT or error.status >= _SERVER_ERROR:
        return error.status
    return 403 if isinstance(error, NotOurProcess) else 400
