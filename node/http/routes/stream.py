"""``GET /{process}/schedule`` for those who accept ``text/event-stream``."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from node.http.numbers import number
from node.http.path import Path
from node.http.places import elsewhere, process_of, redirect
from node.http.request import Call, read_call
from node.http.stream.response import EventStream
from node.node import Node
from protocol.errors import InvalidInput

MEDIA_TYPE = "text/event-stream"


def routes(node: Node) -> list[BaseRoute]:
    """Return the route of event streams."""
    return [StreamRoute("/{path:path}", _Opening(node), methods=["GET"])]


class StreamRoute(Route):
    """Take only what asks for a schedule as an event stream."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match fully or not at all."""
        match, child = super().matches(scope)
        # HEAD would wait for the end of what has none.
        wanted = match is Match.FULL and scope["method"] == "GET"
        if wanted and MEDIA_TYPE in Headers(scope=scope).get("accept", ""):
            try:
                if Path.parse(scope["raw_path"].partition(b"?")[0]).key == "schedule":
                    return match, child
            except InvalidInput:
                pass
        return Match.NONE, {}


class _Opening:
    def __init__(self, node: Node) -> None:
        self._node = node

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            call, node = await read_call(scope, receive), self._node
        except ClientDisconnect:
            return
        process = process_of(node, call)
        place = await elsewhere(node, call, process)
        if place is not None:
            await redirect(call, place, process)(scope, receive, send)
            return
        # A process that does not exist is refused while that can still be said.
        node.scheduler.slot(process)
        stream = EventStream(node.scheduler, node.streams, process, _first(call))
        await stream(scope, receive, send)


def _first(call: Call) -> int:
    """Return the slot after the last one that the reader has, else `from`, else 0."""
    seen = call.fields.get("last-event-id")
    if seen is None or not (seen.isascii() and seen.isdecimal()):
        return max(0, number(call, "from") or 0)
    return int(seen[:18]) + 1
