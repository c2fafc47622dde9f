"""Messages as headers and a body, compared with what HyperBEAM wrote and read."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.codecs import httpsig, portable
from protocol.codecs.body_parts import SCHEDULE
from protocol.codecs.httpsig import SIGNATURE, SIGNATURE_INPUT
from protocol.codecs.structured import Atom, from_tabm, to_tabm
from protocol.codecs.wire import Wire
from protocol.errors import UnsupportedValue
from tests.protocol.recorded import Json, raw, tabm, typed, vectors, wire

MESSAGES = {message["name"]: message for message in vectors("messages")["messages"]}
PLAIN = {name: message for name, message in MESSAGES.items() if "unsigned" in message}
BUNDLES = {name: m for name, m in PLAIN.items() if "error" not in m["unsigned"]["wire_bundle"]}
SCHEDULES = vectors("assignments")["schedules"]
SLOTS = [slot for schedule in SCHEDULES for slot in schedule["assignments"]]
REPLIES = {
    f"{schedule['name']} {reply['name']}": reply
    for schedule in SCHEDULES
    for reply in schedule["replies"]
    if "decoded" in reply
}
PAGES = {
    f"{schedule['name']} {reply}": schedule["signed_schedule"][reply]["wire"]
    for schedule in SCHEDULES
    for reply in ("bundle_signed_reply", "bundle_unsigned_reply")
}
NOT_READABLE = {"integer-16-digits"}
"""No parser of structured fields takes its integer, HyperBEAM's own neither."""

SAYS_WHICH_BODY = {"explicit-ao-body-key"}
"""Its `ao-body-key` is about the wire, and reading leaves it there."""

UNSORTED = {"keys-33-hamt-order"}
"""More than 32 keys: only Erlang knows the order in which HyperBEAM signs them."""


def signed_wires() -> dict[str, Json]:
    """Every signed message that HyperBEAM wrote, by name and form."""
    found: dict[str, Json] = {}
    for name, message in MESSAGES.items():
        stages = {key: message.get(key) for key in ("signed", "signed_bundle", "two_signers")}
        for stage, recorded in {**stages, "": message}.items():
            for form in ("wire", "wire_bundle"):
                if isinstance(recorded, dict) and "headers" in recorded.get(form, ()):
                    found[f"{name} {stage} {form}"] = recorded[form]
    for number, slot in enumerate(SLOTS):
        found |= {f"slot {number} {form}": slot[form] for form in ("wire_linked", "wire_bundle")}
    return found


SIGNED = signed_wires()


@pytest.mark.parametrize("name", PLAIN)
def test_a_typed_message_becomes_the_recorded_tabm(name: str) -> None:
    """Lists, maps, integers, floats and atoms are nested maps of bytes as HyperBEAM's are."""
    assert to_tabm(typed(PLAIN[name]["input"])) == tabm(PLAIN[name]["tabm_bundle"])


@pytest.mark.parametrize("name", sorted(PLAIN.keys() - NOT_READABLE))
def test_a_recorded_tabm_becomes_the_typed_message(name: str) -> None:
    """Every value comes back with its type; booleans and null as Python's own."""
    expected = in_python(typed(PLAIN[name]["input"]))
    assert repr(from_tabm(tabm(PLAIN[name]["tabm_bundle"]))) == repr(expected)


@pytest.mark.parametrize("name", PLAIN)
def test_a_message_is_written_as_recorded(name: str) -> None:
    """Headers, body and digest of the linked form are HyperBEAM's, byte for byte."""
    linked = tabm(PLAIN[name]["tabm_linked"])
    assert httpsig.encode(linked) == wire(PLAIN[name]["unsigned"]["wire"])


@pytest.mark.parametrize("name", sorted(PLAIN.keys() - SAYS_WHICH_BODY - {"empty-body"}))
def test_a_written_message_is_read_as_recorded(name: str) -> None:
    """Reading what HyperBEAM wrote gives the message back."""
    linked = tabm(PLAIN[name]["tabm_linked"])
    assert httpsig.decode(wire(PLAIN[name]["unsigned"]["wire"])) == linked


def test_an_empty_body_needs_somebody_to_say_so() -> None:
    """Without a signature over it no HTTP message tells an empty body from none."""
    unsigned = wire(PLAIN["empty-body"]["unsigned"]["wire"])
    signed = wire(PLAIN["empty-body"]["signed"]["wire"])
    assert httpsig.decode(unsigned) == {b"a": b"1"}
    assert httpsig.decode(signed) == {b"a": b"1", b"body": b""}


@pytest.mark.parametrize("name", sorted(BUNDLES.keys() - SAYS_WHICH_BODY - {"empty-body"}))
def test_a_bundle_is_read_with_its_nested_messages(name: str) -> None:
    """The parts of a body are the nested messages, next to their commitments."""
    read = httpsig.decode(wire(BUNDLES[name]["unsigned"]["wire_bundle"]))
    assert uncommitted(read) == tabm(BUNDLES[name]["tabm_bundle"])


@pytest.mark.parametrize("name", sorted(BUNDLES.keys() - SAYS_WHICH_BODY - {"empty-body"}))
def test_a_bundle_is_written_as_recorded(name: str) -> None:
    """Parts, their order and the boundary are HyperBEAM's, byte for byte."""
    recorded = wire(BUNDLES[name]["unsigned"]["wire_bundle"])
    assert httpsig.encode(httpsig.decode(recorded)) == recorded


@pytest.mark.parametrize("name", SIGNED.keys())
def test_a_signed_message_is_read_and_written_but_for_its_signatures(name: str) -> None:
    """Signature headers are left out; everything else is written back as it was."""
    recorded = wire(SIGNED[name])
    message = httpsig.decode(recorded)
    if name.split(maxsplit=1)[0] in SAYS_WHICH_BODY:
        message |= {b"ao-body-key": b"payload"}
    assert httpsig.encode(message) == unsigned(recorded)


@pytest.mark.parametrize("name", PAGES)
def test_a_schedule_is_read_and_written_but_for_its_signatures(name: str) -> None:
    """Eleven assignments with their messages and commitments are the same bytes again."""
    recorded = wire(PAGES[name])
    assert httpsig.encode(httpsig.decode(recorded, SCHEDULE)) == unsigned(recorded)


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_over_http_is_read_as_recorded(name: str) -> None:
    """What a real node sends means the same here, next to the headers that servers add."""
    read = uncommitted(httpsig.decode(wire(REPLIES[name]["reply"]), SCHEDULE))
    expected = in_python(uncommitted(typed(REPLIES[name]["decoded"])))
    assert {key: value for key, value in from_tabm(read).items() if key in expected} == expected


@pytest.mark.parametrize("name", sorted(PLAIN.keys() - UNSORTED))
def test_the_signed_fields_are_those_of_the_recorded_base(name: str) -> None:
    """Sorted headers, with the digest in place of the body, are what the HMAC is over."""
    base = raw(PLAIN[name]["unsigned"]["hmac_bases"][-1]["base_b64u"])
    fields = httpsig.fields_to_sign(tabm(PLAIN[name]["tabm_linked"]))
    lines = b"\n".join(b'"%s": %s' % field for field in fields.items())
    assert base.startswith(lines + b'\n"@signature-params": ')


@pytest.mark.parametrize("name", sorted(UNSORTED))
def test_more_fields_than_32_are_not_signed(name: str) -> None:
    """Who verifies knows the order from the signature; who signs is told that there is none."""
    linked = tabm(PLAIN[name]["tabm_linked"])
    with pytest.raises(UnsupportedValue, match="33"):
        httpsig.fields_to_sign(linked)
    assert len(httpsig.fields_to_sign(linked, None)) == 33


@pytest.mark.parametrize("name", sorted(MESSAGES.keys() - SAYS_WHICH_BODY))
def test_every_message_travels(name: str) -> None:
    """In its portable form each recorded message arrives as it is, as one run of bytes too."""
    for form in ("tabm_linked", "tabm_bundle"):
        if form in MESSAGES[name]:
            message = tabm(MESSAGES[name][form])
            travelling = portable.encode(message)
            assert httpsig.decode(Wire.parse(travelling.encode())) == message


def uncommitted(message: Any) -> Any:
    if not isinstance(message, dict):
        return message
    return {
        key: uncommitted(value)
        for key, value in message.items()
        if key not in (b"commitments", "commitments")
    }


def unsigned(signed: Wire) -> Wire:
    names = (SIGNATURE, SIGNATURE_INPUT)
    return Wire(tuple(field for field in signed.headers if field[0] not in names), signed.body)


def in_python(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: in_python(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [in_python(inner) for inner in value]
    if isinstance(value, Atom):
        return {"true": True, "false": False, "null": None}.get(value, value)
    return value
