"""Recorded assignments under both chains and both commitment devices, there and back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from protocol.assignment import Assignment
from protocol.chain import chain_rule
from protocol.codecs import ans104, httpsig_assignment
from protocol.codecs.assignment import (
    commit,
    encode,
    of_item,
    of_tabm,
    published,
    scheme,
    signature_data,
    tabm,
    verifies,
    verify,
)
from protocol.codecs.wire import Wire
from protocol.commitment import ANS104, HTTPSIG
from protocol.errors import (
    InvalidId,
    InvalidSignature,
    MalformedItem,
    UnsupportedProcess,
    UnsupportedValue,
)
from protocol.ids import Id
from protocol.tabm import COMMITMENTS, Tabm
from tests.protocol.recorded import Json, octets, pairs, raw, scalar, vectors

SCHEDULES = {schedule["name"]: schedule for schedule in vectors("assignments")["schedules"]}
SLOTS = range(11)
CASES = [(name, slot) for name in SCHEDULES for slot in SLOTS]
NEWEST = [
    (name, form["commitment_spec"], slot)
    for name, schedule in SCHEDULES.items()
    for form in schedule["newest_format"]
    for slot in SLOTS
]


@pytest.mark.parametrize(("name", "slot"), CASES)
def test_a_recorded_assignment_is_read_and_verifies(name: str, slot: int) -> None:
    """The scheduler's httpsig signature is over exactly the fields that were read."""
    assignment = of_tabm(linked(name, slot))
    verify(assignment)
    recorded = SCHEDULES[name]["assignments"][slot]
    assert str(assignment.id) == recorded["ids"]["all"]
    assert str(assignment.message_id) == recorded["body_ids"]["all"]
    assert (assignment.link, assignment.chain) == (recorded["hash_chain"], "hash-chain")


@pytest.mark.parametrize(("name", "slot"), CASES)
def test_an_assignment_is_written_as_recorded(name: str, slot: int) -> None:
    """Message, commitments, HMAC and wire form come out as HyperBEAM made them."""
    assignment = of_tabm(linked(name, slot))
    assert tabm(assignment) == linked(name, slot)
    recorded = SCHEDULES[name]["assignments"][slot]
    assert str(httpsig_assignment.unsigned_id(assignment)) == recorded["ids"]["unsigned"]
    ((identity, encoded),) = published(assignment)
    assert identity == assignment.id
    wire = Wire.parse(encoded)
    assert wire.body == b""
    expected = dict(pairs(recorded["wire_linked"]["headers"]))
    for several in (b"signature", b"signature-input"):
        # Their members stand in the order of a map of HyperBEAM's.
        members = dict(wire.headers)[several].split(b", comm-")
        recorded_members = expected.pop(several).split(b", comm-")
        assert {each.removeprefix(b"comm-") for each in members} == {
            each.removeprefix(b"comm-") for each in recorded_members
        }
    written = {key: value for key, value in wire.headers if not key.startswith(b"signature")}
    assert written == expected


@pytest.mark.parametrize("name", SCHEDULES)
def test_an_inline_body_names_the_message(name: str) -> None:
    """With its body inline, an assignment has the same message ID, signature and ID."""
    assignment = of_tabm(linked(name, 1))
    body: Tabm = {b"data": b"x", COMMITMENTS: {assignment.message_id.ascii: {b"committer": b"?"}}}
    carried = tabm(assignment, body)
    assert b"body+link" not in carried
    assert carried[b"body"] is body
    assert of_tabm(carried) == assignment


@pytest.mark.guarantee("S3")
@pytest.mark.parametrize(("name", "spec", "slot"), NEWEST)
def test_the_newest_form_is_as_recorded(name: str, spec: str, slot: int) -> None:
    """Hashpath, signed bytes and IDs under either device, and the signature verifies."""
    recorded = newest(name, spec)[slot]
    assignment = of_tabm(typed(recorded["assignment"]))
    verify(assignment)
    assert str(assignment.id) == recorded["ids"]["all"]
    assert (assignment.chain, assignment.link) == ("base-hashpath", recorded["base_hashpath"])
    (commitment,) = assignment.commitments
    data = signature_data(assignment, commitment.owner, spec)
    if spec == HTTPSIG:
        assert data == raw(signed_base(recorded))
    else:
        assert data == raw(recorded["item"]["signature_data_b64u"])
        assert encode(assignment, commitment) == raw(recorded["item"]["item_b64u"])
        assert of_item(ans104.parse(raw(recorded["item"]["item_b64u"]))) == assignment
    assert tabm(assignment)[COMMITMENTS] == typed(recorded["assignment"])[COMMITMENTS]


@pytest.mark.guarantee("S3")
@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("spec", [ANS104, HTTPSIG])
def test_the_hashpath_follows_from_the_assignments(name: str, spec: str) -> None:
    """Each link is the one before and the ID of the assignment before, from the process on."""
    rule, link, before = chain_rule("base-hashpath"), "", None
    for recorded in newest(name, spec):
        assignment = of_tabm(typed(recorded["assignment"]))
        link = rule.next(link, assignment.message_id, before)
        assert link == assignment.link
        before = assignment.id
        assert rule.next(link, assignment.message_id, before) == recorded["next_base_hashpath"]


@pytest.mark.guarantee("S10")
def test_a_signature_under_another_name_proves_nothing() -> None:
    """Another device, committer, ID or type than the signature's own is refused."""
    assignment = of_tabm(linked("ans104-process", 1))
    (commitment,) = assignment.commitments
    other = of_tabm(linked("ans104-process", 2)).commitments[0]
    for wrong in (
        replace(commitment, device=ANS104),
        replace(commitment, device="json@1.0"),
        replace(commitment, committer=other.id),
        replace(commitment, id=other.id),
        replace(commitment, type="rsa-pss-sha256"),
        replace(commitment, signature=other.signature, id=other.id),
    ):
        assert not verifies(assignment, wrong)
        with pytest.raises(InvalidSignature):
            verify(assignment.signed([commitment, wrong]))
    with pytest.raises(InvalidSignature):
        verify(assignment.signed([]))


FLAWS: dict[str, dict[bytes, Any]] = {
    "another type": {b"type": b"Message"},
    "another variant": {b"variant": b"ao.TN.1"},
    "another epoch": {b"epoch": b"1"},
    "no process": {b"process": b""},
    "a slot that is no number": {b"slot": b"one"},
    "a slot without end": {b"slot": b"1" * 19},
    "a slot below zero": {b"slot": b"-1"},
    "a nested slot": {b"slot": {b"1": b"1"}},
    "a link that is none": {b"hash-chain": b"x"},
    "two chains": {b"base-hashpath": b"A" * 43},
    "a block hash that is no text": {b"block-hash": b"\xff"},
    "no signature": {COMMITMENTS: {}},
    "commitments that are none": {COMMITMENTS: b""},
    "a body without commitments": {b"body+link": None, b"body": {b"data": b"x"}},
    "a body that nobody signed": {
        b"body+link": None,
        b"body": {COMMITMENTS: {b"A" * 43: {b"keyid": b"constant:ao"}}},
    },
}


@pytest.mark.parametrize("flaw", FLAWS.values(), ids=FLAWS)
def test_what_is_no_assignment_is_named(flaw: dict[bytes, Any]) -> None:
    """Whatever another scheduler sends, it is read whole or refused with a reason."""
    message = {**linked("ans104-process", 1), **flaw}
    with pytest.raises((MalformedItem, InvalidId)):
        of_tabm({key: value for key, value in message.items() if value is not None})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"signature", b"!"),
        (b"signature", b"AAAA"),
        (b"keyid", b"publickey:?"),
        (b"commitment-device", b"json@1.0"),
        (b"bundle", b"true"),
    ],
)
def test_a_commitment_that_cannot_be_read_is_named(key: bytes, value: bytes) -> None:
    """A signature in a form that is not known is refused, and never passed over."""
    message = linked("ans104-process", 1)
    commitments = {
        name: {**fields, key: value} if b"committer" in fields else fields
        for name, fields in message[COMMITMENTS].items()
    }
    with pytest.raises(MalformedItem):
        of_tabm({**message, COMMITMENTS: commitments})


@pytest.mark.parametrize("path", [b"a\nb", b"a\r\n", b"\0", b" a", b"a\t", b"\x7f"])
def test_a_path_that_no_header_carries_is_refused(path: bytes) -> None:
    """Such a path would end the header, or change on its way."""
    with pytest.raises(UnsupportedValue):
        httpsig_assignment.require_carried(path)
    httpsig_assignment.require_carried(b"/~push@1.0?a=b c")


def test_a_device_that_is_not_built_has_no_scheme() -> None:
    """Nothing is signed by guess."""
    assert (scheme(ANS104), scheme(HTTPSIG)) == ("rsa-pss-sha256", "rsa-pss-sha512")
    with pytest.raises(UnsupportedProcess):
        scheme("json@1.0")


def test_several_signers_share_one_wire_form(wallet, user_wallet) -> None:
    """One wire form holds all signatures, and the ID is the sum of theirs."""
    unsigned = of_tabm(linked("httpsig-process", 1)).signed([])
    commitments = [commit(each.owner, bytes(512), HTTPSIG) for each in (wallet, user_wallet)]
    signed = unsigned.signed(commitments)
    ((identity, encoded),) = published(signed)
    assert identity == signed.id
    assert dict(Wire.parse(encoded).headers)[b"signature"].count(b"comm-") == 3
    assert len(tabm(signed)[COMMITMENTS]) == 2  # the same signature twice, and the HMAC


def linked(name: str, slot: int) -> dict[bytes, Any]:
    recorded = SCHEDULES[name]["assignments"][slot]
    commitments = recorded["assignment"]["commitments"]
    return {**dict(pairs(recorded["tabm_linked"])), COMMITMENTS: committed(commitments)}


def newest(name: str, spec: str) -> list[Json]:
    (form,) = (form for form in SCHEDULES[name]["newest_format"] if form["commitment_spec"] == spec)
    return form["slots"]


def typed(message: Json) -> dict[bytes, Any]:
    found: dict[bytes, Any] = {}
    types = []
    for key, value in message["v"]:
        if value["t"] == "link":
            found[f"{key}+link".encode()] = value["id"].encode()
        elif value["t"] == "int":
            found[key.encode()] = str(scalar(value)).encode()
            types.append(f'{key}="integer"')
        else:
            found[key.encode()] = scalar(value)
    found[b"ao-types"] = ", ".join(types).encode()
    return {**found, COMMITMENTS: committed(message["commitments"])}


def committed(commitments: Json) -> dict[bytes, Any]:
    return {
        identity.encode(): {
            key.encode(): numbered(value) if isinstance(value, list) else octets(value)
            for key, value in fields.items()
        }
        for identity, fields in commitments.items()
    }


def numbered(names: list[str]) -> dict[bytes, bytes]:
    listed = {str(number).encode(): name.encode() for number, name in enumerate(names, 1)}
    return {**listed, b"ao-types": b'.="list"'}


def signed_base(recorded: Json) -> str:
    (base,) = (
        base["base_b64u"]
        for base in recorded["signature_bases"]
        if base["type"] == "rsa-pss-sha512" and '"body+link"' in json.dumps(base["components"])
    )
    return base


def test_of_tabm_gives_what_was_signed() -> None:
    """A changed field is read all the same, and does not verify."""
    for key, value in ((b"slot", b"7"), (b"timestamp", b"1"), (b"path", b"other")):
        changed: Assignment = of_tabm({**linked("ans104-process", 1), key: value})
        with pytest.raises(InvalidSignature):
            verify(changed)
    assert isinstance(of_tabm(linked("ans104-process", 1)).process, Id)
