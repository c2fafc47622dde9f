"""The one route for everything that HyperBEAM's path grammar can name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from node.http.handlers.location import location
from node.http.handlers.messages import message
from node.http.handlers.meta import info, nothing, status
from node.http.handlers.pages import page
from node.http.handlers.scheduling import schedule
from node.http.handlers.slots import following, slot
from node.http.path import Path
from node.http.replies import Reply, render
from node.http.request import Call, read_call
from node.http.signing import signed
from node.http.waiting import apart
from node.node import Node
from protocol.codecs.body_parts import REQUEST
from protocol.errors import NotFound

Handler = Callable[[Node, Call], Awaitable[Reply | Response]]


async def schedule_or_page(node: Node, call: Call) -> Reply | Response:
    """Schedule what is posted; read with any other method."""
    return await (schedule if call.writes else page)(node, call)


_SCHEDULER: Mapping[str, Handler] = {
    "schedule": schedule_or_page,
    "slot": slot,
    "next": following,
    "status": status,
    "location": location,
    "info": info,
    "init": nothing,
    "checkpoint": nothing,
}
_PROCESS: Mapping[str, Handler] = {**_SCHEDULER, "push": schedule_or_page}


class Dispatcher:
    """Find out what a request asks of which device, and have it answered."""

    def __init__(self, node: Node) -> None:
        self._node = node
        limits = node.config.limits
        self._bounds = replace(REQUEST, parts=limits.parts, depth=limits.nesting)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            call = await read_call(scope, receive, self._bounds)
        except ClientDisconnect:
            return
        response = await self._answer(call)
        await response(scope, receive, send)

    async def _answer(self, call: Call) -> Response:
        handler, rest = route(call.path, writes=call.writes)
        # Asked first: nothing is scheduled whose answer could not be written.
        form = call.form
        reply = await handler(self._node, call)
        if isinstance(reply, Response):
            return reply
        reply = await signed(self._node, reply.select(rest) if rest else reply)
        return await apart(render, reply, form) if reply.large else render(reply, form)


def route(path: Path, *, writes: bool) -> tuple[Handler, tuple[str, ...]]:
    """Return what answers a path, and which part of its answer the path is after.

    Under ``~scheduler@1.0`` every key it does not know means `schedule`. Under a process, or
    a message, what is not the scheduler's is a key of that message.

    Raises:
        NotFound: nothing here is called that.
    """
    if path.device == "scheduler@1.0":
        handler = _SCHEDULER.get(path.key)
        return (handler, path.rest) if handler else (schedule_or_page, ())
    if path.device == "meta@1.0" and path.key in ("", "info"):
        return info, path.rest
    if path.device in ("", "process@1.0") and (path.base or path.key in ("", "push", "schedule")):
        handler = _PROCESS.get(path.key)
        if handler:
            return handler, path.rest
        if writes and not path.key:
            return schedule, ()
        if path.base:
            return message, (path.key, *path.rest) if path.key else ()
    raise NotFound("nothing here has this address")


def routes(node: Node) -> list[BaseRoute]:
    """Return the route that takes every request."""
    return [Route("/{path:path}", Dispatcher(node))]
