"""Commitments read, verified and written as HyperBEAM has them, in every recorded message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from protocol.codecs import signature_fields
from protocol.codecs.commitment_fields import Claim, claims_of, numbered
from protocol.codecs.httpsig import SIGNATURE, SIGNATURE_INPUT
from protocol.codecs.httpsig_commitment import from_wire, to_wire, verify
from protocol.codecs.httpsig_covered import DEVICE, base_of, cover
from protocol.codecs.wire import Wire
from protocol.errors import InvalidSignature, MalformedItem
from protocol.message_ids import bundled, linked, only, signed_id, unsigned_id
from protocol.tabm import COMMITMENTS, Tabm
from tests.protocol.recorded import Json, raw, tabm, vectors, wire

MESSAGES = {message["name"]: message for message in vectors("messages")["messages"]}
PLAIN = {name: message for name, message in MESSAGES.items() if "unsigned" in message}
STAGES = ("signed", "signed_bundle", "two_signers")
WIRES = ("wire", "wire_bundle")

NOT_ASCII = {"unicode-key"}
"""HyperBEAM cannot read its own signature field here either."""

UNSORTED = {"keys-33-hamt-order"}
"""Named by an order that only Erlang knows."""

SAYS_WHICH_BODY = "explicit-ao-body-key"
"""Is about the wire and no key of a message that is signed; HyperBEAM cannot verify it."""

RECORDED_IN_ITS_OWN_ORDER = {"ans104-commitment-in-httpsig", "httpsig-unsigned-of-ans104"}
"""What was committed is listed in the order of tags, and travels in that of headers."""


def stages() -> Iterator[tuple[str, Json]]:
    """Every signed message, by name and how it was signed."""
    for name, message in MESSAGES.items():
        if "commitments" in message:
            yield f"{name} as-it-is", message
        for stage in STAGES:
            if "commitments" in (message.get(stage) or ()):
                yield f"{name} {stage}", message[stage]


def first(name: str) -> str:
    return name.partition(" ")[0]


SIGNED = dict(stages())
WIRED = {
    f"{name} {form}": (recorded, recorded[form])
    for name, recorded in SIGNED.items()
    for form in WIRES
    if "headers" in (recorded.get(form) or ()) and first(name) not in NOT_ASCII
}

WRITTEN = {name: case for name, case in WIRED.items() if not name.startswith(SAYS_WHICH_BODY)}
BASED = {name: case for name, case in WRITTEN.items() if case[0]["signature_bases"]}


@pytest.mark.parametrize("name", sorted(PLAIN.keys() - UNSORTED))
def test_an_unsigned_message_has_the_recorded_id(name: str) -> None:
    """Whether nested messages are inside or linked, and whatever their kind."""
    for form in ("tabm_linked", "tabm_bundle"):
        assert str(unsigned_id(tabm(PLAIN[name][form]))) == PLAIN[name]["unsigned"]["id"]


@pytest.mark.parametrize("name", PLAIN)
def test_nested_messages_are_linked_by_the_recorded_ids(name: str) -> None:
    """Maps and lists become links, and the rest stays."""
    assert linked(tabm(PLAIN[name]["tabm_bundle"])) == tabm(PLAIN[name]["tabm_linked"])


@pytest.mark.parametrize("name", WIRED)
def test_commitments_are_read_as_recorded(name: str) -> None:
    """Each has the ID, the fields and the list of keys that HyperBEAM gives it."""
    recorded, sent = WIRED[name]
    message = from_wire(wire(sent))
    assert fields_of(message) == {
        identifier.encode(): fields(each, is_sorted=first(name) in RECORDED_IN_ITS_OWN_ORDER)
        for identifier, each in recorded["commitments"].items()
    }
    assert str(signed_id(message)) == recorded["ids"]["all"] == recorded["ids"]["signed"]


@pytest.mark.parametrize("name", WIRED)
def test_signatures_are_judged_as_recorded(name: str) -> None:
    """What verifies there verifies here, and what does not, does not."""
    recorded, sent = WIRED[name]
    message = from_wire(wire(sent))
    if recorded["verify_all"] is True:
        committers = {
            each["committer"] for each in recorded["commitments"].values() if "committer" in each
        }
        assert {str(each.committer) for each in verify(message)} == committers
    else:
        with pytest.raises(InvalidSignature, match="does not verify"):
            verify(message)


@pytest.mark.parametrize("name", WRITTEN)
def test_commitments_are_written_as_recorded(name: str) -> None:
    """The signature fields say the same again, and what was written is the same message."""
    sent = wire(WRITTEN[name][1])
    message = from_wire(sent)
    written = to_wire(message, bundle=name.endswith("bundle"))
    assert from_wire(written)[COMMITMENTS] == message[COMMITMENTS]
    assert said(written) == said(sent)


@pytest.mark.parametrize("name", BASED)
def test_what_is_signed_is_as_recorded(name: str) -> None:
    """The signature base of each commitment is HyperBEAM's, byte for byte."""
    recorded, sent = BASED[name]
    message = from_wire(wire(sent))
    ours = {base(message, claim) for claim in claims_of(message) if claim.device == DEVICE}
    bases = {raw(each["base_b64u"]) for each in recorded["signature_bases"]}
    # Of two signers, only what the second did was recorded: to sign, and to make the HMAC.
    assert len(ours & bases) == (2 if "two_signers" in name else len(ours))


@pytest.mark.parametrize("name", sorted(NOT_ASCII))
def test_a_signature_field_that_is_not_ascii_is_refused(name: str) -> None:
    """HyperBEAM writes such a component as it is, which no parser of structured fields takes."""
    with pytest.raises(MalformedItem, match="signature field"):
        from_wire(wire(MESSAGES[name]["signed"]["wire"]))


@pytest.mark.parametrize("number", range(len(vectors("structured")["siginfo"])))
def test_signature_fields_are_read_and_written_as_recorded(number: int) -> None:
    """Labels, components, parameters and signatures are HyperBEAM's."""
    recorded = vectors("structured")["siginfo"][number]
    text, inputs = recorded["signature"].encode(), recorded["signature_input"].encode()
    found = signature_fields.parse(text, inputs)
    assert signature_fields.write(found) == (text, inputs)
    assert [plain(each) for each in found] == [
        (label, [item["bare"]["string"] for item in value["inner_list"]], value["params"])
        for label, value in recorded["signature_input_parsed"]
    ]


def plain(signature: signature_fields.Signature) -> tuple[str, list[str], list[list[object]]]:
    parameters = [
        [name.decode(), {"string": value.decode()}]
        for name, value in signature.parameters
        if isinstance(value, bytes)
    ]
    return signature.label.decode(), [name.decode() for name in signature.components], parameters


def base(message: Tabm, claim: Claim) -> bytes:
    keys = only(message, claim.committed)
    covered = cover(bundled(keys) if claim.bundle else linked(keys))
    return base_of(claim, covered.values, covered.components_of(claim))


def said(message: Wire) -> dict[bytes, object]:
    headers = dict(message.headers)
    return {
        each.label: (sorted(each.components), sorted(each.parameters), each.raw)
        for each in signature_fields.parse(headers[SIGNATURE], headers[SIGNATURE_INPUT])
    }


def fields_of(message: Tabm) -> dict[bytes, Tabm]:
    found = message[COMMITMENTS]
    assert isinstance(found, Mapping)
    return {name: each for name, each in found.items() if isinstance(each, Mapping)}


def fields(recorded: Json, *, is_sorted: bool) -> dict[bytes, bytes | Tabm]:
    texts = {name.encode(): value for name, value in recorded.items()}
    committed = [key.encode() for key in texts.pop(b"committed")]
    texts = {name: value.encode() for name, value in texts.items()}
    return texts | {b"committed": numbered(sorted(committed) if is_sorted else committed)}
