"""The HTTP interface of the older scheduler units (variant ``ao.TN.1``)."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response
from starlette.routing import BaseRoute

from actors.clock import system_clock
from actors.stages import Stage
from node.http.admission import admitted
from node.http.confirmation import reached, wanted
from node.http.legacy import posting, reading
from node.http.legacy.answers import written
from node.http.legacy.flags import flags
from node.http.legacy.matching import (
    LegacyRoute,
    always,
    begins_with_id,
    brings_item,
    wants_json,
    wants_legacy,
)
from node.http.legacy.ranges import Range
from node.http.places import elsewhere
from node.http.request import Call
from node.http.waiting import apart
from node.node import Node
from protocol.errors import InvalidInput, NotFound, NotOurProcess
from protocol.formats.legacy import height
from protocol.ids import Id
from protocol.message import named_process

__all__ = ["routes", "wants_legacy"]


def routes(node: Node) -> list[BaseRoute]:
    """Return the routes of the legacy interface."""
    return [
        LegacyRoute("/", "GET", partial(_root, node), wants_json),
        LegacyRoute("/", "POST", partial(_post, node), brings_item),
        LegacyRoute("/timestamp", "GET", partial(_timestamp, node), always),
        LegacyRoute("/processes/{id}", "GET", partial(_process, node), always),
        LegacyRoute("/{id}/latest", "GET", partial(_latest, node), begins_with_id),
        LegacyRoute("/{id}", "GET", partial(_read, node), partial(wants_legacy, node)),
    ]


async def _root(node: Node, call: Call) -> Response:
    """Answer who schedules here; clients ask it for a process to be sent to its scheduler."""
    process = _process_id(call)
    if process is not None and (moved := await _moved(node, call, process)):
        return moved
    return written({"timestamp": str(system_clock()), "address": str(node.operator.address)})


async def _timestamp(node: Node, _call: Call) -> Response:
    """Answer the time, and the newest block's height."""
    block_height = height(node.blocks.latest().height)
    return written({"timestamp": str(system_clock()), "block_height": block_height})


async def _post(node: Node, call: Call) -> Response:
    """Schedule a data item, or have a message assigned that is here already.

    The answer names the message, or the assignment of one that was to be assigned. It waits
    for the stage that `confirmation` names, and says in a header which one was reached.
    """
    keys = call.path.keys
    assigns = "assign" in keys or (not call.body and "process-id" in keys)
    message = posting.assigned(node.scheduler, call) if assigns else posting.decoded(call.body)
    stage = wanted(node, call)
    if assigns:
        # A crash may give an assignment another ID until it is stored.
        stage = max(stage, Stage.STORED)
    verified = await admitted(node, message)
    ticket = node.scheduler.schedule(verified)
    try:
        assignment = await ticket.future(stage)
    except (NotFound, NotOurProcess) as exc:
        moved = await _moved(node, call, named_process(message), dict(message.keys))
        if moved is None:
            raise exc from None
        return moved
    identifier = assignment.id if assigns else message.id
    answer = written({"timestamp": assignment.timestamp, "id": str(identifier)})
    answer.raw_headers.extend(reached(ticket))
    return answer


async def _process(node: Node, call: Call) -> Response:
    """Answer the process object."""
    process = Id.parse(call.path.rest[0])
    if moved := await _moved(node, call, process):
        return moved
    return written(await apart(reading.process, node.scheduler, process))


async def _latest(node: Node, call: Call) -> Response:
    """Answer the newest slot of a process."""
    process = _base(call)
    if moved := await _moved(node, call, process):
        return moved
    return written(
        await apart(reading.newest, node.scheduler, process, show_anchor=_shows_anchor(call))
    )


async def _read(node: Node, call: Call) -> Response:
    """Answer a page of a process, or the slot of a message."""
    identifier, process = _base(call), _process_id(call)
    schedules, show_anchor = node.scheduler, _shows_anchor(call)
    if schedules.has(identifier):
        wanted = Range.parse(call.path.keys)
        page = await apart(reading.page, schedules, identifier, wanted, show_anchor=show_anchor)
        return written(page)
    if process is None or schedules.has(process):
        one = await apart(reading.one, schedules, identifier, process, show_anchor=show_anchor)
        return written(one)
    if moved := await _moved(node, call, process):
        return moved
    raise NotFound("Message or Process not found")


async def _moved(
    node: Node, call: Call, process: Id, keys: dict[bytes, bytes] | None = None
) -> Response | None:
    """Return the reply that sends the request, as it is, to the scheduler of its process."""
    place = await elsewhere(node, call, process, keys)
    if place is None:
        return None
    headers = {"location": place.url + call.target, "cache-control": "no-store"}
    return Response(status_code=307, headers=headers)


def _base(call: Call) -> Id:
    if call.path.base is None:
        raise InvalidInput("the address names no message and no process")
    return call.path.base


def _process_id(call: Call) -> Id | None:
    named = call.path.keys.get("process-id") or call.path.keys.get("proc-id")
    return Id.parse(named) if named else None


def _shows_anchor(call: Call) -> bool:
    return "show-anchor" in flags(call)
