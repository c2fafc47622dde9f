"""Answer a request that is refused before the application sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from node.errors import MalformedRequest
from node.http.cors import Cors
from protocol.errors import SchedulerError

LINGER_SECONDS = 2.0
"""How long the rest of a refused request is read and thrown away. A connection that is closed
on unread bytes is reset, which can take the answer away from the client."""


Written = Callable[[SchedulerError, Scope], Response]


class Refuser:
    """Reply to requests that nobody has read to their end."""

    def __init__(self, told: Callable[[str], None], written: Written) -> None:
        """Tell `told` the code of each refusal, and reply as it is `written`."""
        self._told = told
        self._written = written

    async def __call__(
        self,
        error: SchedulerError,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        linger: float = LINGER_SECONDS,
    ) -> None:
        """Reply, and close the connection if there is more of the request than was read."""
        self._told(error.code)
        # Where one request ends must be beyond doubt for the next one to be read.
        doubtful = isinstance(error, MalformedRequest)
        reply = Cors(self._written(error, scope))
        await _refuse(reply, scope, receive, send, linger, doubtful=doubtful)


async def _refuse(
    reply: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    linger: float,
    *,
    doubtful: bool,
) -> None:
    # Whatever still comes is read meanwhile: Hypercorn's reader waits for ever when ten pieces
    # of a body are not taken.
    rest = asyncio.create_task(_discard(receive))
    # Two turns of the loop: a request without a body is complete then, and stays connected.
    for _ in range(2):
        await asyncio.sleep(0)
    complete = rest.done()

    closing = not complete or doubtful

    async def held_open(message: Message) -> None:
        if message["type"] == "http.response.start" and closing and _is_http1(scope):
            message["headers"] = [*message["headers"], (b"connection", b"close")]
        await send({**message, "more_body": True} if "body" in message else message)

    try:
        await reply(scope, receive, held_open)
        await asyncio.wait([rest], timeout=linger)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        rest.cancel()
        with suppress(asyncio.CancelledError):
            await rest


async def _discard(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass


def _is_http1(scope: Scope) -> bool:
    return scope["http_version"] in {"1.0", "1.1"}
