"""Replies read back, in whichever codec they came."""

from __future__ import annotations

import httpx

from protocol.codecs.body_parts import SCHEDULE
from protocol.codecs.httpsig_commitment import from_wire
from protocol.codecs.json_codec import decode as from_json
from protocol.codecs.wire import Wire
from protocol.message import Message
from protocol.tabm import Tabm


def message_of(reply: httpx.Response) -> Tabm:
    """Return the message of a reply that is no error."""
    assert reply.status_code == 200, reply.text
    media_type = reply.headers.get("content-type", "")
    if media_type == "application/ans104":
        return Message.decode(reply.content).tabm
    if media_type == "application/json":
        return from_json(reply.content)
    headers = tuple((name.lower(), value) for name, value in reply.headers.raw)
    return from_wire(Wire(headers, reply.content), SCHEDULE)
