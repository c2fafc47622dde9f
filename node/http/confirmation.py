"""How far a message shall get before it is answered, and how far it got."""

from __future__ import annotations

from actors.stages import Stage
from actors.ticket import Ticket
from node.http.replies import Fields
from node.http.request import Call
from node.node import Node
from protocol.errors import InvalidInput

_STAGES = {"aggressive": Stage.ASSIGNED, "local": Stage.STORED, "remote": Stage.PUBLISHED}
_NAMES = {stage: name.encode() for name, stage in _STAGES.items()}


def wanted(node: Node, call: Call) -> Stage:
    """Return the stage that `confirmation` names in address or header, else the node's own.

    It is no key of the message: how long somebody waits is not the signer's to say.

    Raises:
        InvalidInput: there is no such stage.
    """
    asked = call.path.keys.get("confirmation") or call.fields.get("confirmation")
    if not asked:
        return node.scheduler.mode.stage
    try:
        return _STAGES[asked]
    except KeyError:
        raise InvalidInput("confirmation is aggressive, local or remote") from None


def reached(ticket: Ticket) -> Fields:
    """Return the header that says which stage was reached when the answer was written."""
    later = (ticket.published, Stage.PUBLISHED), (ticket.stored, Stage.STORED)
    for future, stage in later:
        if future.done and future.error is None:
            return ((b"confirmation", _NAMES[stage]),)
    return ((b"confirmation", _NAMES[Stage.ASSIGNED]),)
