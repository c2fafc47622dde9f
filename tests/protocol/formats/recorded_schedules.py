"""The recorded schedules as entries, signed by HyperBEAM."""

from __future__ import annotations

from functools import cache

from protocol.assignment import Assignment
from protocol.codecs import httpsig
from protocol.codecs.assignment import of_tabm
from protocol.codecs.body_parts import Bounds
from protocol.codecs.structured import to_tabm
from protocol.codecs.wire import Wire
from protocol.entry import Entry
from protocol.message import Message
from protocol.tabm import COMMITMENTS, Tabm
from tests.protocol.recorded import Json, pairs, raw, typed, vectors

SCHEDULES: dict[str, Json] = {
    schedule["name"]: schedule for schedule in vectors("assignments")["schedules"]
}
WHOLE = Bounds(parts=10_000, depth=16, lines=100_000)


@cache
def recorded_reply(name: str) -> Tabm:
    """HyperBEAM's reply with the whole schedule, read."""
    wire = SCHEDULES[name]["signed_schedule"]["bundle_unsigned_reply"]["wire"]
    return httpsig.decode(Wire(tuple(pairs(wire["headers"])), raw(wire["body_b64u"])), WHOLE)


def assignment(name: str, slot: int) -> Assignment:
    """A recorded assignment with its signature."""
    # Of slot 9 the reply has lost the body's signatures, and with them the link to it.
    linked = dict(pairs(SCHEDULES[name]["assignments"][slot]["tabm_linked"]))
    inline = recorded_reply(name)[b"assignments"][b"%d" % slot]
    return of_tabm({**linked, COMMITMENTS: inline[COMMITMENTS]})


@cache
def recorded_entries(name: str) -> list[Entry]:
    """All slots of a recorded schedule, as HyperBEAM's scheduler had them."""
    return [Entry(assignment(name, slot), _message(name, slot)) for slot in range(11)]


def _message(name: str, slot: int) -> Message:
    body = dict(SCHEDULES[name]["assignments"][slot]["assignment"]["v"])["body"]
    commitments = to_tabm({"commitments": body["commitments"]})
    return Message.of_tabm(to_tabm(typed(body)) | commitments)
