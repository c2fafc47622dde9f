"""`/health`, `/ready` and `/metrics`: for those who look after a node."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from node.http.waiting import apart
from node.metrics.metrics import MEDIA_TYPE
from node.metrics.recovery import Recovery
from node.node import Node

_UNCACHED = {"cache-control": "no-store"}


def routes(node: Node) -> list[BaseRoute]:
    """Return the three routes."""
    looks = Looks(node)
    return [
        Route("/health", looks.health),
        Route("/ready", looks.ready),
        Route("/metrics", looks.metrics),
    ]


class Looks:
    """Answer what is asked about the node itself."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._recovery = Recovery(node.scheduler)

    async def health(self, _request: Request) -> Response:
        """200 while this process should go on; 503 once only a restart can help."""
        if self._node.scheduler.closed:
            return _state(503, "closed")
        return _state(200, "well")

    async def ready(self, _request: Request) -> Response:
        """200 when requests are worth sending; 503 while recovering, and from closing on.

        The state of each shard stands beside it.
        """
        return await apart(self._ready)

    async def metrics(self, _request: Request) -> Response:
        """All numbers, in Prometheus's text format."""
        text = await apart(self._node.metrics.exposition)
        return Response(text, headers=_UNCACHED, media_type=MEDIA_TYPE)

    def _ready(self) -> Response:
        scheduler = self._node.scheduler
        status = scheduler.status()
        shards = [shard.state for shard in status.shards]
        if scheduler.closed:
            return _state(503, "closed", shards=shards)
        whole = all(state == "ready" for state in shards)
        if whole and self._recovery.done(status):
            return _state(200, "ready", shards=shards)
        return _state(503, "recovering", shards=shards)


def _state(status: int, word: str, **more: Any) -> Response:
    return JSONResponse({"status": word, **more}, status, _UNCACHED)
