"""Messages as clients sent them to HyperBEAM, and the schedules that it made of them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from protocol.codecs.body_parts import SCHEDULE
from protocol.codecs.commitment_fields import claims_of
from protocol.codecs.httpsig_commitment import from_wire
from protocol.codecs.httpsig_commitment import verify as verify_commitments
from protocol.codecs.wire import Wire
from protocol.errors import InvalidInput, InvalidSignature
from protocol.message import Message, verify
from protocol.message_ids import signed_id, unsigned_id
from protocol.tabm import COMMITMENTS, Tabm
from tests.protocol.recorded import Json, raw, vectors, wire

SCHEDULES = vectors("assignments")["schedules"]
NEGATIVE = {entry["name"]: entry for entry in vectors("assignments")["negative"]}
POSTS = {
    f"{schedule['name']} {number} {post['how']}": post
    for schedule in SCHEDULES
    for number, post in enumerate(schedule["posts"])
}
SLOTS = {
    f"{schedule['name']} {slot['slot']}": slot
    for schedule in SCHEDULES
    for slot in schedule["assignments"]
}
TAKEN = {name: post for name, post in POSTS.items() if post["reply"]["status"] == 200}
STRIPPED = {name for name, slot in SLOTS.items() if slot["slot"] == 9}
"""HyperBEAM drops the signatures of a message with two signers when it carries it inside."""

WHOLE = SLOTS.keys() - STRIPPED
PAGES = {schedule["name"]: schedule["signed_schedule"] for schedule in SCHEDULES}


def sent(exchange: Json) -> Wire:
    """Headers and body of a recorded request; servers add and take some, all unsigned."""
    head, _, body = raw(exchange["request_b64u"]).partition(b"\r\n\r\n")
    fields = (line.partition(b": ") for line in head.split(b"\r\n")[1:])
    return Wire(tuple((name.lower(), value) for name, _, value in fields), body)


def message_in(post: Json) -> Message:
    """The message that a request asks to schedule."""
    if "item" in post["how"]:
        return Message.decode(sent(post).body)
    request = from_wire(sent(post))
    return Message.of_tabm(inside(request, b"body") if post["how"] == "wrapped" else request)


@pytest.mark.parametrize("name", TAKEN)
def test_a_posted_message_is_taken(name: str) -> None:
    """Itself, as an item, in full or wrapped into another: it verifies, with HyperBEAM's ID."""
    message, ids = message_in(TAKEN[name]), TAKEN[name]["message_ids"]
    assert str(verify(message).message_id) == ids["all"] == ids["signed"]
    assert ids["unsigned"] in unsigned_ids(message.tabm)


@pytest.mark.parametrize("name", sorted(POSTS.keys() - TAKEN.keys()))
def test_a_message_that_lost_its_signatures_is_refused(name: str) -> None:
    """A client of HyperBEAM's kind drops both of two when it wraps the message."""
    with pytest.raises(InvalidSignature, match="nobody signed"):
        message_in(POSTS[name])


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule["name"])
def test_a_spawned_process_is_taken(schedule: Json) -> None:
    """A process signed in either way has the recorded ID, and is for itself."""
    spawn = sent(schedule["spawn"])
    is_item = schedule["name"].startswith("ans104")
    message = Message.decode(spawn.body) if is_item else Message.of_tabm(from_wire(spawn))
    assert str(verify(message).process) == schedule["process_id"] == schedule["process_ids"]["all"]
    assert str(unsigned_id(message.tabm)) == schedule["process_ids"]["unsigned"]
    typed = {name.encode() for name, _ in schedule["process"]["v"]}
    assert typed == message.keys.keys() - {b"ao-types"}


@pytest.mark.parametrize("name", ["tampered-header", "tampered-body", "unsigned-message"])
def test_what_hyperbeam_refuses_is_refused(name: str) -> None:
    """A changed header or body, and a message without a signature."""
    assert NEGATIVE[name]["reply"]["status"] == 400
    with pytest.raises(InvalidInput):
        verify(Message.of_tabm(from_wire(sent(NEGATIVE[name]))))


def test_an_unsigned_header_is_dropped() -> None:
    """HyperBEAM takes such a message without it, and so do we."""
    message = Message.of_tabm(from_wire(sent(NEGATIVE["extra-unsigned-header-is-dropped"])))
    assert verify(message).keys.keys() == set(message.tabm) - {COMMITMENTS}
    names = {name for name, _ in sent(NEGATIVE["extra-unsigned-header-is-dropped"]).headers}
    assert names - message.keys.keys() > {b"host", b"signature"}


def test_a_message_to_an_unknown_process_is_a_message() -> None:
    """Whether the process is known here is not a question of signatures."""
    verify(Message.of_tabm(from_wire(sent(NEGATIVE["unknown-process"]))))


@pytest.mark.parametrize("name", [*SLOTS, *(f"{name} bundle" for name in sorted(WHOLE))])
def test_a_recorded_assignment_verifies(name: str) -> None:
    """Signed by its scheduler, with the recorded IDs; the body may be inside or a link."""
    recorded = SLOTS[name.removesuffix(" bundle")]
    form = "wire_bundle" if name.endswith("bundle") else "wire_linked"
    assignment = from_wire(wire(recorded[form]))
    assert verify_commitments(assignment)
    assert recorded["verify_all"] is True
    assert str(signed_id(assignment)) == recorded["ids"]["all"]
    assert str(unsigned_id(assignment)) == recorded["ids"]["unsigned"]


@pytest.mark.parametrize("name", sorted(STRIPPED))
def test_an_assignment_whose_message_lost_its_signatures_is_refused(name: str) -> None:
    """Its link is to a signed message, and there is none."""
    stripped = from_wire(wire(SLOTS[name]["wire_bundle"]))
    with pytest.raises(InvalidSignature, match="does not verify"):
        verify_commitments(stripped)


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_the_message_in_an_assignment_verifies(name: str) -> None:
    """It is inside with its own commitments, whatever it was signed with."""
    recorded = SLOTS[name]
    body = Message.of_tabm(inside(from_wire(wire(recorded["wire_bundle"])), b"body"))
    assert recorded["body_verify_all"] is recorded["body_verify_signers"] is True
    assert str(verify(body).message_id) == recorded["body_ids"]["all"]
    assert recorded["body_ids"]["unsigned"] in unsigned_ids(body.tabm)


@pytest.mark.parametrize("reply", ["bundle_signed_reply", "bundle_unsigned_reply"])
@pytest.mark.parametrize("name", PAGES)
def test_every_assignment_of_a_page_verifies(name: str, reply: str) -> None:
    """A page of a peer gives all that it takes to trust none of it."""
    page = from_wire(wire(PAGES[name][reply]["wire"]), SCHEDULE)
    assert (COMMITMENTS in page) is (reply == "bundle_signed_reply")
    assignments = inside(page, b"assignments")
    assert assignments.keys() == {b"%d" % slot for slot in range(11)} | {COMMITMENTS}
    for slot in range(11):
        if f"{name} {slot}" in WHOLE:
            assignment = inside(assignments, b"%d" % slot)
            assert verify_commitments(assignment)
            assert verify(Message.of_tabm(inside(assignment, b"body")))


def unsigned_ids(tabm: Tabm) -> set[str]:
    """Both that HyperBEAM has: of the linked form, and the HMAC that a bundle came with."""
    return {str(unsigned_id(tabm)), *(str(each.id) for each in claims_of(tabm) if each.is_hmac)}


def inside(tabm: Tabm, key: bytes) -> Tabm:
    found = tabm[key]
    assert isinstance(found, Mapping)
    return found
