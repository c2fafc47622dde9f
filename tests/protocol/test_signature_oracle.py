"""Another implementation of RFC 9421 judges our signatures, where the two agree by specification.

It takes components with an @ for derived ones, which HyperBEAM has as headers; it signs
parameters in the order of the field, and HyperBEAM in that of their names; and it wants
names in lower case and values in ASCII. Where nothing is signed, HyperBEAM's signature base
begins with an empty line.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass

import pytest
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature
from http_message_signatures.algorithms import HMAC_SHA256, RSA_PSS_SHA512
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.codecs import httpsig, signature_fields
from protocol.codecs.httpsig import SIGNATURE, SIGNATURE_INPUT
from protocol.codecs.httpsig_commitment import commit, to_wire
from protocol.codecs.signatures import rsa_key
from protocol.codecs.wire import Wire
from protocol.message_ids import linked
from protocol.tabm import Tabm
from tests.protocol.recorded import vectors, wire
from tests.protocol.signed import KEYS, SIGNER

DERIVED = {b"method", b"path", b"authority", b"scheme", b"query", b"query-param"}
DERIVED |= {b"target-uri", b"request-target"}
ALGORITHMS = {b"rsa-pss-sha512": RSA_PSS_SHA512, b"hmac-sha256": HMAC_SHA256}

VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=12)
NAMES = st.from_regex(rb"[a-z][a-z0-9-]{0,8}", fullmatch=True).filter(
    lambda name: name not in {*DERIVED, b"signature", b"set-cookie", b"priv", b"content-digest"}
)


@dataclass(frozen=True)
class Response:
    """What it verifies: a message with a status, so that it needs no URL."""

    headers: dict[str, str]
    status_code: int = 200
    request: None = None


class Keys(HTTPSignatureKeyResolver):
    """Whose `keyid` is the key."""

    def resolve_public_key(self, key_id: str) -> object:
        if key_id == "constant:ao":
            return key_id.encode()
        return rsa_key(b64decode(key_id.removeprefix("publickey:")))


class Verifier(HTTPMessageVerifier):
    """HyperBEAM's signatures do not say when they were made."""

    require_created = False


def in_common() -> dict[str, Wire]:
    """The recorded messages that both understand."""
    found: dict[str, Wire] = {}
    for message in vectors("messages")["messages"]:
        for stage in ("signed", "two_signers"):
            recorded = message.get(stage)
            if (
                recorded
                and recorded.get("verify_all") is True
                and is_common(wire(recorded["wire"]))
            ):
                found[f"{message['name']} {stage}"] = wire(recorded["wire"])
    return found


def is_common(message: Wire) -> bool:
    names = {name for name, _ in message.headers}
    texts = b"".join(name + value for name, value in message.headers)
    lower = all(name == name.lower() and b" " not in name for name in names)
    strict = all(value == value.strip() for _, value in message.headers)
    listed = not any(set(name) & set(b'",:=@/%(') for name in names)
    headed = bool(message.body) or b'"content-digest"' not in texts
    plain = texts.isascii() and texts.decode().isprintable()
    something = len(names) > 2
    return something and lower and strict and listed and headed and plain and not names & DERIVED


COMMON = in_common()


def test_most_recorded_messages_are_common_ground() -> None:
    """The oracle has enough to judge."""
    assert len(COMMON) > 60


@pytest.mark.parametrize("name", COMMON)
def test_it_verifies_what_hyperbeam_signed(name: str) -> None:
    """So it is the same specification, as far as it goes."""
    assert_verified(COMMON[name])


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(NAMES, VALUES.map(str.encode), max_size=8), st.binary(max_size=30))
def test_it_verifies_what_we_sign(keys: dict[bytes, bytes], body: bytes) -> None:
    """Signature and HMAC, with any headers and any body."""
    assert_verified(written(commit({**keys, b"body": body or b"x"}, SIGNER)))


def test_it_verifies_a_signature_over_links() -> None:
    """A nested message is a header with its ID, like any other."""
    assert_verified(written(commit({**KEYS, b"m": {b"a": b"1"}}, SIGNER)))


@pytest.mark.parametrize("key", [b"action", b"data"])
def test_it_refuses_what_we_refuse(key: bytes) -> None:
    """A changed header or body is no longer what was signed."""
    signed = commit(KEYS, SIGNER)
    with pytest.raises(InvalidSignature):
        assert_verified(written({**signed, key: b"changed"}))


def written(signed: Tabm) -> Wire:
    """The message as it was signed, with its signature fields."""
    fields = dict(to_wire(signed, bundle=False).headers)
    message = httpsig.encode(linked(signed))
    both = ((name, fields[name]) for name in (SIGNATURE, SIGNATURE_INPUT))
    return Wire((*message.headers, *both), message.body)


def assert_verified(message: Wire) -> None:
    """Ask for each signature alone: the oracle verifies one algorithm at a time."""
    fields = dict(message.headers)
    for each in signature_fields.parse(fields[SIGNATURE], fields[SIGNATURE_INPUT]):
        text, inputs = signature_fields.write([each])
        headers = {**fields, SIGNATURE: text, SIGNATURE_INPUT: inputs}
        algorithm = ALGORITHMS[bytes(dict(each.parameters)[b"alg"])]
        verifier = Verifier(signature_algorithm=algorithm, key_resolver=Keys())
        asked = Response({name.decode(): value.decode() for name, value in headers.items()})
        (result,) = verifier.verify(asked, max_age=None)
        assert len(result.covered_components) == len(each.components) + 1
        verifier.verify_body(asked, [result], message.body)
