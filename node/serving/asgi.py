"""The node as an application for any ASGI server.

For one, ``granian --interface asgi node.serving.asgi:app``. It is configured by
`AO_SCHEDULER_CONFIG` and the other variables. One worker only, because a store has one writer.
Deadlines for headers and the number of connections are the server's business there.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack

from starlette.types import ASGIApp, Receive, Scope, Send

from actors.events import log
from node.config import ConfigInvalid, load
from node.http.problems import problem
from node.node import Node
from node.running import open_node
from node.serving.service import guarded
from protocol.errors import Closed, SchedulerError


class Application:
    """Open a node when the server starts, and close it when the server ends."""

    def __init__(self) -> None:
        self._closing = ExitStack()
        self._app: ASGIApp = problem(Closed("the node is not open"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the server's whole life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            node = await asyncio.to_thread(self._open)
        except (SchedulerError, OSError) as exc:
            log.warning("not_started", reason=str(exc))
            await send({"type": "lifespan.startup.failed", "message": str(exc)})
            return
        self._app = guarded(node)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        node.streams.end()
        await asyncio.to_thread(self._closing.close)
        await send({"type": "lifespan.shutdown.complete"})

    def _open(self) -> Node:
        config = load(environment=os.environ).config
        if (config.store.shards or 0) > 1 or config.server.gateways > 1:
            raise ConfigInvalid(
                "store.shards and server.gateways above 1 need `ao-scheduler serve`: "
                "under another server one program does everything"
            )
        log.configure(config.log.level)
        return self._closing.enter_context(open_node(config))


app = Application()
