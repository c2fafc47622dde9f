"""Signed items to schedule."""

from __future__ import annotations

from protocol.codecs.structured import Scalar
from protocol.ids import Id
from protocol.message import Message
from protocol.wallet import Wallet


def process_item(user: Wallet, scheduler: Id, **keys: Scalar) -> bytes:
    """Return a signed process that names `scheduler`; `keys` come on top (``_`` is ``-``)."""
    base: dict[str, Scalar] = {
        "Data-Protocol": "ao",
        "Variant": "ao.N.1",
        "Type": "Process",
        "Scheduler": str(scheduler),
        "Module": str(scheduler),
    }
    return Message.create(base | _named(keys), user).encoded


def message_item(user: Wallet, process: Id, number: int = 0, **keys: Scalar) -> bytes:
    """Return a signed message for `process`; `number` makes it different from others."""
    base: dict[str, Scalar] = {
        "Data-Protocol": "ao",
        "Variant": "ao.N.1",
        "Type": "Message",
        "Action": "Ping",
        "Reference": str(number),
        "target": str(process),
        "data": f"message {number}",
    }
    return Message.create(base | _named(keys), user).encoded


def signed_message(user: Wallet, process: Id, number: int = 0) -> Message:
    """Return a message for `process` that is no data item, but signed as HTTP messages are."""
    keys = {"type": "Message", "target": str(process), "reference": number, "data": f"no {number}"}
    return Message.create(keys, user, codec="httpsig")


def _named(keys: dict[str, Scalar]) -> dict[str, Scalar]:
    return {name.replace("_", "-"): value for name, value in keys.items()}
