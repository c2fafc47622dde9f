"""Pages of a schedule: assignments of a range of slots, with their messages."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from node.http.caching import lasting, unchanged
from node.http.negotiation import AOS2
from node.http.numbers import number
from node.http.places import elsewhere, follows, process_of, redirect
from node.http.replies import NO_STORE, Fields, Reply, respond
from node.http.request import Call
from node.http.waiting import apart, asking_peers
from node.node import Node
from protocol.entry import Entries
from protocol.formats import aos2, bundle
from protocol.formats.frame import Frame
from protocol.ids import Id
from storage.journal import PAGE_LIMIT


@dataclass(frozen=True, slots=True)
class Range:
    """Slots that a request asks for.

    Attributes:
        first, last: both included; None is the newest.
        limit: how many at most.
    """

    first: int
    last: int | None
    limit: int


async def page(node: Node, call: Call) -> Reply | Response:
    """Answer with the assignments of a range of slots.

    `from` (0, and never below) and `to` (the newest) are both included; at most `limit`
    slots, at most 1,000, and `continues` tells whether the range goes on.

    Raises:
        InvalidInput: a bound is no whole number, or no process is named.
        NotFound: nobody knows the process.
    """
    process, wanted = process_of(node, call), _range(call)
    place = await elsewhere(node, call, process)
    if place is None:
        return await apart(_own, node, call, process, wanted)
    if not follows(node, call):
        return redirect(call, place, process)
    read = node.remote.entries
    entries = await asking_peers(read, place, process, wanted.first, wanted.last, wanted.limit)
    return await apart(_written, node, call, process, entries, NO_STORE)


def _range(call: Call) -> Range:
    limit = number(call, "limit")
    return Range(
        first=max(0, number(call, "from") or 0),
        last=number(call, "to"),
        limit=PAGE_LIMIT if limit is None else min(PAGE_LIMIT, max(1, limit)),
    )


def _own(node: Node, call: Call, process: Id, wanted: Range) -> Reply | Response:
    stored = node.scheduler.slot(process)
    fields = _fields(call, process, wanted, stored)
    known = unchanged(call, fields)
    if known is not None:
        return known
    entries = node.scheduler.entries(process, wanted.first, wanted.last, wanted.limit)
    return _written(node, call, process, entries, fields)


def _fields(call: Call, process: Id, wanted: Range, stored: int) -> Fields:
    # A range that ends among the stored slots, or is cut before their end, stays as it is.
    cut = wanted.first + wanted.limit - 1
    if wanted.last is not None and wanted.last <= cut:
        over = wanted.first <= wanted.last <= stored
    else:
        over = cut < stored
    if not over:
        return NO_STORE
    return lasting(call, process, wanted)


def _written(
    node: Node, call: Call, process: Id, entries: Entries, fields: Fields
) -> Reply | Response:
    frame = _frame(node, process, entries, fields)
    if call.form.codec == AOS2:
        body = aos2.schedule(frame, entries.entries)
        return respond(Reply({}, fields), [(b"content-type", b"application/json")], body)
    return Reply(bundle.schedule(frame, entries.entries), fields, large=True)


def _frame(node: Node, process: Id, entries: Entries, fields: Fields) -> Frame:
    # What may be kept for ever speaks of its own moment, not of ours: equal bytes each time.
    lasts = fields is not NO_STORE and entries.entries
    block = entries.entries[-1].assignment.block if lasts else node.blocks.latest()
    return Frame(process, entries.more, block.timestamp, block)
