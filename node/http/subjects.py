"""Which message of a request is to be scheduled."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from node.http.request import Call
from protocol.errors import NotFound
from protocol.ids import Id
from protocol.message import Message
from protocol.tabm import Tabm

_UNLOADABLE = "Cannot fully load message to schedule."


def subject(call: Call, load: Callable[[Id | str], Message]) -> Message:
    """Return the message that a request asks to schedule; nothing about it is verified.

    What `subject` names: ``self`` is the request, ``base`` the message that its path begins
    with, anything else one of its keys. Else its `body`, if that is a message, else the
    request itself. Source: HyperBEAM's `dev_scheduler`.

    Args:
        call: the request.
        load: returns a message that some slot here holds, or raises `NotFound`.

    Raises:
        NotFound: it is named and neither here nor in the request.
        MalformedItem, UnsupportedSignature, TooLarge: it cannot be read.
    """
    named = call.get("subject")
    if named == "base":
        return _loaded(call.path.base, load)
    if call.item is not None:
        if named not in (None, "self"):
            raise NotFound(_UNLOADABLE)
        return call.item
    if named != "self":
        inside = _inside(call.tabm, named or "body", load)
        if inside is not None:
            return inside
        if named is not None:
            raise NotFound(_UNLOADABLE)
    return Message.of_tabm(call.tabm)


def _inside(tabm: Tabm, key: str, load: Callable[[Id | str], Message]) -> Message | None:
    value = tabm.get(key.encode())
    if isinstance(value, Mapping):
        return Message.of_tabm(value)
    link = tabm.get(key.encode() + b"+link")
    return _loaded(Id.parse(link), load) if isinstance(link, bytes) else None


def _loaded(identifier: Id | None, load: Callable[[Id | str], Message]) -> Message:
    if identifier is None:
        raise NotFound(_UNLOADABLE)
    try:
        return load(identifier)
    except NotFound:
        raise NotFound(_UNLOADABLE) from None
