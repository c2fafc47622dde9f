"""Recorded assignments with their messages inside, as they go over the wire, read and written."""

from __future__ import annotations

import pytest

from protocol.codecs.assignment import of_tabm, tabm, verify
from protocol.codecs.signed_wire import from_wire, to_wire
from protocol.codecs.wire import Wire
from protocol.errors import MalformedItem
from tests.protocol.recorded import Json, pairs, raw, vectors

SCHEDULES = {schedule["name"]: schedule for schedule in vectors("assignments")["schedules"]}
FORMS = ["hash-chain", "httpsig@1.0", "ans104@1.0"]
"""The form of its time, and the newest one under either commitment device."""

LOST = 9
"""Its message has two signers, and HyperBEAM carries neither signature along."""

CASES = [
    (name, form, slot) for name in SCHEDULES for form in FORMS for slot in range(11) if slot != LOST
]


@pytest.mark.parametrize(("name", "form", "slot"), CASES)
def test_a_wire_form_is_read_and_verifies(name: str, form: str, slot: int) -> None:
    """Assignment and message come out of the parts; the message is the one that was signed for."""
    recorded = forms(name, form)[slot]
    assignment = of_tabm(from_wire(wire(recorded)))
    verify(assignment)
    assert str(assignment.id) == recorded["ids"]["all"]
    body = SCHEDULES[name]["assignments"][slot]["body_ids"]["all"]
    assert str(assignment.message_id) == body


@pytest.mark.parametrize(("name", "form", "slot"), CASES)
def test_a_wire_form_is_written_as_recorded(name: str, form: str, slot: int) -> None:
    """The same assignment and message make the same bytes; only signatures are in our order."""
    expected = wire(forms(name, form)[slot])
    message = from_wire(expected)
    written = to_wire(tabm(of_tabm(message), message[b"body"]), bundle=True)
    assert written.body == expected.body
    assert unsigned(written) == unsigned(expected)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_message_without_its_signatures_is_refused(name: str) -> None:
    """Which message was assigned cannot be told from one that lost its signatures on the way."""
    with pytest.raises(MalformedItem, match="not signed"):
        of_tabm(from_wire(wire(forms(name, FORMS[0])[LOST])))


def forms(name: str, form: str) -> list[Json]:
    schedule = SCHEDULES[name]
    newest = {each["commitment_spec"]: each["slots"] for each in schedule["newest_format"]}
    return newest.get(form, schedule["assignments"])


def wire(recorded: Json) -> Wire:
    found = recorded["wire_bundle"]
    return Wire(tuple(pairs(found["headers"])), raw(found["body_b64u"]))


def unsigned(wire: Wire) -> dict[bytes, bytes]:
    return {name: value for name, value in wire.headers if not name.startswith(b"signature")}
