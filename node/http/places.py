"""Which process a request is about, and whether its schedule is kept here."""

from __future__ import annotations

from starlette.responses import Response

from node.http.request import Call
from node.http.waiting import asking_peers
from node.node import Node
from node.peers.asking import PSEUDONYM
from node.peers.finding import Elsewhere
from protocol.assignment import LEGACY_VARIANT
from protocol.binding import hint_of
from protocol.errors import InvalidInput, NotFound
from protocol.ids import Id


def process_of(node: Node, call: Call) -> Id:
    """Return the process that a reading request is about.

    Its `target`; else the process that the path begins with; else, when the path begins with
    a message, the process which that message names.

    Raises:
        InvalidInput: none is named.
        InvalidId: its `target` is no ID.
    """
    named = (call.get("target") or "").partition("?")[0]
    if named:
        return Id.parse(named)
    base = call.path.base
    if base is None:
        raise InvalidInput("the request names no process")
    return base if node.scheduler.has(base) else _named_by(node, base)


def _named_by(node: Node, base: Id) -> Id:
    try:
        keys = node.scheduler.message(base).keys
    except NotFound:
        return base
    named = keys.get(b"process")
    return Id.parse(named) if named else base


async def elsewhere(
    node: Node, call: Call, process: Id, keys: dict[bytes, bytes] | None = None
) -> Elsewhere | None:
    """Return who else schedules a process, or None when it is for this node to answer.

    Args:
        node: with the scheduler that is asked first.
        call: may carry a hint.
        process: ID of the process.
        keys: committed keys of the process message, when the request brought it.

    Raises:
        NoScheduler: it names nobody.
        NotFound: nobody knows it, or its scheduler's address.
    """
    if node.scheduler.has(process):
        return None
    found = await asking_peers(node.finder.find, process, hint=_hint(call), keys=keys)
    return found if isinstance(found, Elsewhere) else None


def follows(node: Node, call: Call) -> bool:
    """Tell whether a request for another scheduler's process is passed on; else it is redirected.

    What a node like this one has passed on is not passed on again. Anyone can publish a
    location that leads from here to here, or to a node that leads back.
    """
    return node.config.replies.follow_redirects and PSEUDONYM not in call.fields.get("via", "")


def redirect(call: Call, place: Elsewhere, process: Id) -> Response:
    """Return the reply that sends a request on to the scheduler of its process.

    The address stays as it was, which every scheduler of variant ao.N.1 understands; for one
    of variant ao.TN.1 it is the corresponding address of the older API.
    """
    target = call.target if place.variant != LEGACY_VARIANT else _older(call, process)
    headers = {"location": place.url + target, "variant": place.variant}
    return Response(status_code=307, headers=headers | {"cache-control": "no-store"})


def _hint(call: Call) -> str | None:
    # Either of its own, or behind the target as a process writes it behind its scheduler.
    hint = call.path.keys.get("hint")
    query = f"hint={hint}" if hint else (call.get("target") or "").partition("?")[2]
    return hint_of(query) or None


def _older(call: Call, process: Id) -> str:
    if call.writes:
        return f"/?process-id={process}"
    if call.path.key == "slot":
        return f"/{process}/latest?process-id={process}"
    first, last = call.get("from"), call.get("to")
    # The older API's lower end is exclusive.
    before = f"&from-nonce={int(first) - 1}" if first and first.isdecimal() else ""
    until = f"&to-nonce={last}" if last and last.isdecimal() else ""
    return f"/{process}?process-id={process}{before}{until}"
