"""Messages by their IDs, as some slot of this store holds them."""

from __future__ import annotations

from starlette.responses import Response

from node.http.admission import is_large
from node.http.caching import lasting, unchanged
from node.http.replies import Reply
from node.http.request import Call
from node.http.waiting import apart
from node.node import Node
from protocol.errors import InvalidInput


async def message(node: Node, call: Call) -> Reply | Response:
    """Answer with a message that some slot here holds.

    Raises:
        NotFound: none does.
    """
    identifier = call.path.base
    if identifier is None:
        raise InvalidInput("the address names no message")
    found = await apart(node.scheduler.message, identifier)
    fields = lasting(call, identifier, call.path.key, *call.path.rest)
    return unchanged(call, fields) or Reply(found.tabm, fields, is_large(found))
