"""Messages that come through the legacy interface."""

from __future__ import annotations

from collections.abc import Mapping

from actors.schedules import Schedules
from node.http.legacy.flags import flags
from node.http.request import Call
from protocol.errors import InvalidInput, UnsupportedValue, WrongTarget
from protocol.ids import Id
from protocol.message import Message, named_process

TYPES = (b"Process", b"Message")
NEEDED = {b"Process": (b"module", b"scheduler"), b"Message": ()}


def decoded(body: bytes) -> Message:
    """Read a posted data item, and insist on the tags that this interface asks for.

    Raises:
        MalformedItem, UnsupportedSignature, TooLarge: it cannot be read.
        InvalidInput: a tag is not there, or its type is neither Process nor Message.
    """
    message = Message.decode(body)
    _require_tags(message.keys)
    return message


def assigned(schedules: Schedules, call: Call) -> Message:
    """Return the message that a post without a body wants to have assigned.

    Raises:
        InvalidInput: `process-id` or `assign` is missing, or no ID.
        UnsupportedValue: it is a transaction of the base layer, or parts shall be excluded.
        WrongTarget: the message is for another process.
        NotFound: no slot here holds the message.
    """
    keys = call.path.keys
    if "process-id" not in keys or "assign" not in keys:
        raise InvalidInput("If sending assign or process-id, you must send both.")
    process, identifier = Id.parse(keys["process-id"]), Id.parse(keys["assign"])
    if not {"base-layer", "exclude"}.isdisjoint(flags(call)):
        raise UnsupportedValue("assigning with base-layer or exclude is not supported here")
    message = schedules.message(identifier)
    if named_process(message) != process:
        raise WrongTarget("assigning a message to another process than its own is not supported")
    return message


def _require_tags(keys: Mapping[bytes, bytes]) -> None:
    kind = keys.get(b"type")
    if kind is None:
        raise InvalidInput("Type tag not present")
    if kind not in TYPES:
        raise InvalidInput("Unsupported Type tag value")
    if b"data-protocol" not in keys:
        raise InvalidInput("Data-Protocol tag not present")
    for name in NEEDED[kind]:
        if name not in keys:
            raise InvalidInput(f"{name.decode().title()} tag not present")
