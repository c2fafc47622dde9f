"""Signatures in the two older forms: read and kept, never made."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest

from protocol.codecs.base64url import encode_base64url
from protocol.codecs.commitment_fields import claims_of, with_claims
from protocol.codecs.content_digest import content_digest
from protocol.codecs.httpsig_commitment import commit, from_wire, to_wire
from protocol.codecs.signature_fields import Signature, input_value, write
from protocol.codecs.wire import Wire
from protocol.errors import InvalidSignature
from protocol.message import Message, verify
from protocol.tabm import COMMITMENTS
from protocol.wallet import Wallet
from tests.protocol.recorded import raw, vectors

RSA = b"rsa-pss-sha512"
BODY = b"the data"


@pytest.fixture(scope="module")
def target(wallet: Wallet) -> bytes:
    """A process to send to."""
    return wallet.address.ascii


def may(user: Wallet, target: bytes, names: tuple[bytes, ...] = (), **headers: bytes) -> Wire:
    """A message as hbsig 0.1.5 sends it: its own order, its own label, no HMAC."""
    fields = {
        b"type": b"Message",
        b"target": target,
        b"path": b"/x",
        b"note": b"  two\nlines ",
        b"inline-body-key": b"data",
        b"content-digest": content_digest(BODY),
        **{name.replace("_", "-").encode(): value for name, value in headers.items()},
    }
    names = names or (b"target", b"@path", b"type", b"note", b"inline-body-key", b"content-digest")
    keyid = encode_base64url(user.owner)
    values = (fields[name.removeprefix(b"@")].strip().replace(b"\n", b" ") for name in names)
    lines = b"".join(
        b'"%s": %s\n' % (name.removeprefix(b"@"), value)
        for name, value in zip(names, values, strict=True)
    )
    parameters = ((b"alg", RSA), (b"keyid", keyid))
    base = lines + b'"@signature-params": ' + input_value(names, parameters)
    label = b"http-sig-" + user.address[1:9].hex().encode()
    return signed(fields, BODY, Signature(label, names, parameters, user.sign(base, RSA.decode())))


def june(user: Wallet, target: bytes) -> Wire:
    """A message as HyperBEAM of June 2025 signed it: as now, but for label and key."""
    fields = {b"type": b"Message", b"target": target, b"ao-body-key": b"data"}
    fields[b"content-digest"] = content_digest(BODY)
    names = tuple(sorted(fields))
    parameters = ((b"alg", RSA), (b"keyid", b64encode(user.owner)))
    lines = b"".join(b'"%s": %s\n' % (name, fields[name]) for name in names)
    base = lines + b'"@signature-params": ' + input_value(names, parameters)
    mac = Signature(b"sig-mac", names, ((b"alg", b"hmac-sha256"), (b"keyid", b"ao")), b"m" * 32)
    signature = Signature(b"sig-x", names, parameters, user.sign(base, RSA.decode()))
    return signed(fields, BODY, signature, mac)


def signed(fields: dict[bytes, bytes], body: bytes, *signatures: Signature) -> Wire:
    text, inputs = write(signatures)
    return Wire((*fields.items(), (b"signature", text), (b"signature-input", inputs)), body)


@pytest.mark.parametrize("form", [may, june])
def test_an_older_form_is_read_and_verified(form, user_wallet, target) -> None:
    """Its signer, its target and its data are what they were."""
    message = Message.of_tabm(from_wire(form(user_wallet, target)))
    taken = verify(message)
    assert taken.committers == (user_wallet.address,)
    assert (taken.keys[b"data"], taken.keys[b"target"]) == (BODY, target)
    assert not {b"inline-body-key", b"ao-body-key", b"content-digest"} & taken.keys.keys()


@pytest.mark.parametrize("form", [may, june])
def test_an_older_form_is_stored_so_that_it_verifies_again(form, user_wallet, target) -> None:
    """What is kept are the same bytes each time, under the label of today."""
    message = Message.of_tabm(from_wire(form(user_wallet, target)))
    again = Message.decode(message.encoded, "httpsig")
    assert (again, again.keys, verify(again)) == (message, message.keys, verify(message))
    assert from_wire(to_wire(message.tabm, bundle=True)) == message.tabm


@pytest.mark.parametrize("form", [may, june])
@pytest.mark.parametrize("key", [b"type", b"target", b"data"])
def test_a_changed_key_of_an_older_form_is_noticed(form, key, user_wallet, target) -> None:
    """An older form is believed no more than the newest."""
    tabm = from_wire(form(user_wallet, target))
    with pytest.raises(InvalidSignature, match="does not verify"):
        verify(Message.of_tabm({**tabm, key: b"A" * 43}))


def test_keys_beside_an_older_signature_are_dropped(user_wallet, target) -> None:
    """`body-keys` and whatever else was not signed are no part of the message."""
    plain = Message.of_tabm(from_wire(may(user_wallet, target)))
    more = may(user_wallet, target, body_keys=b'"data"', extra=b"x")
    keys = Message.of_tabm(from_wire(more)).keys
    assert keys.keys() == plain.keys.keys()


def test_where_the_body_belongs_has_to_be_signed(user_wallet, target) -> None:
    """Otherwise anybody could say that the data is another key."""
    names = (b"target", b"type", b"path", b"note", b"content-digest")
    with pytest.raises(InvalidSignature, match="written as"):
        verify(Message.of_tabm(from_wire(may(user_wallet, target, names))))


def test_a_body_that_was_not_signed_is_dropped(user_wallet, target) -> None:
    """Without the digest among the components the data is somebody else's."""
    names = (b"target", b"type", b"path", b"note")
    message = Message.of_tabm(from_wire(may(user_wallet, target, names)))
    verify(message)
    assert b"data" not in message.keys


@pytest.mark.guarantee("S10")
@pytest.mark.parametrize("note", [b" two lines", b"two\nlines", b"two lines\t"])
def test_what_was_trimmed_before_it_was_signed_is_kept_so(note, user_wallet, target) -> None:
    """Spaces and line breaks that the signature does not see make no other message of it."""
    tabm = from_wire(may(user_wallet, target))
    assert tabm[b"note"] == b"two lines"
    with pytest.raises(InvalidSignature, match="spaces"):
        verify(Message.of_tabm({**tabm, b"note": note}))


@pytest.mark.guarantee("S10")
@pytest.mark.parametrize("bundle", [b"true", b"false"])
def test_nothing_is_added_to_an_older_signature(bundle, user_wallet, target) -> None:
    """`bundle` is signed today; then it was unknown, and would make other bytes now."""
    tabm = from_wire(may(user_wallet, target))
    claims = tuple(
        replace(claim, rest={**claim.rest, b"bundle": bundle}) for claim in claims_of(tabm)
    )
    with pytest.raises(InvalidSignature, match="nested"):
        verify(Message.of_tabm(with_claims(tabm, claims)))


def test_an_old_label_on_a_new_signature_is_none() -> None:
    """HyperBEAM takes such a message for unsigned, and so do we."""
    negative = vectors("assignments")["negative"]
    (entry,) = (each for each in negative if each["name"] == "old-label-signature")
    assert COMMITMENTS not in from_wire(request(raw(entry["request_b64u"])))


def test_a_second_signer_stands_beside_an_older_signature(user_wallet, wallet, target) -> None:
    """The second one signs the same keys in the form of today, and both verify."""
    both = commit(from_wire(may(user_wallet, target)), wallet)
    message = Message.of_tabm(both)
    assert set(verify(message).committers) == {user_wallet.address, wallet.address}
    assert len(claims_of(message.tabm)) == 3


def request(message: bytes) -> Wire:
    head, _, body = message.partition(b"\r\n\r\n")
    fields = (line.partition(b": ") for line in head.split(b"\r\n")[1:])
    return Wire(tuple((name, value) for name, _, value in fields), body)
