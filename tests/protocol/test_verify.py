"""What may be scheduled: every way to be refused has its name, and the signature comes last."""

from __future__ import annotations

import dataclasses
import pickle
import re
from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest
from coincurve import PublicKey

from protocol.codecs import ans104
from protocol.codecs.ans104 import MAX_ITEM_BYTES
from protocol.codecs.ethereum import ORDER, PREFIX, keccak256
from protocol.codecs.signatures import ED25519, ETHEREUM, RSA
from protocol.errors import (
    InvalidId,
    InvalidSignature,
    MalformedItem,
    NoTarget,
    NotCanonical,
    TooLarge,
    UnsupportedSignature,
)
from protocol.ids import Id
from protocol.message import Message, Verified, verify
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.protocol.odd_items import TARGET, ed25519_item, ethereum_item, odd_item
from tests.protocol.recorded import raw, recorded_items

PROCESS = Id(TARGET)
LOOSE_ID = str(PROCESS)[:-1] + chr(ord(str(PROCESS)[-1]) + 1)
"""Decodes to the same 32 bytes as `PROCESS`, but does not re-encode to itself."""

EVERY_TYPE = frozenset({RSA, ED25519, ETHEREUM})
OTHER_TYPES = {"Ed25519": ed25519_item(), "Ethereum": ethereum_item()}
CLIENTS = [name for name in recorded_items() if re.match("aoconnect-(mainnet|legacy)", name)]

BAD = {
    "nothing": (lambda _: b"", MalformedItem),
    "half an item": (lambda user: message_item(user, PROCESS)[:1000], MalformedItem),
    "text": (lambda _: b"not an item at all", UnsupportedSignature),
    "an oversized item": (lambda _: bytes(MAX_ITEM_BYTES + 1), TooLarge),
    "a lying tag count": (lambda user: odd_item(user, count=1), NotCanonical),
    "no target": (lambda user: odd_item(user, target=b""), NoTarget),
    "an empty target": (lambda user: odd_item(user, [(b"Target", b"")], target=b""), NoTarget),
    "a target that is no ID": (
        lambda user: odd_item(user, [(b"target", b"somewhere")], target=b""),
        InvalidId,
    ),
    "a target with loose bits": (
        lambda user: odd_item(user, [(b"target", LOOSE_ID.encode())], target=b""),
        InvalidId,
    ),
    "a target twice": (
        lambda user: odd_item(user, [(b"target", PROCESS.ascii)] * 2, target=b""),
        InvalidId,
    ),
    "a path too long": (
        lambda user: odd_item(user, [(b"ao-data-key", b"path")], data=b"p" * 3073),
        TooLarge,
    ),
    "a path twice": (
        lambda user: odd_item(user, [(b"path", b'"' * 1000)] * 2),
        TooLarge,
    ),
    "a changed byte": (
        lambda user: message_item(user, PROCESS)[:-1] + b"!",
        InvalidSignature,
    ),
    "no signature": (lambda _: ans104.unsigned(target=TARGET).encode(), InvalidSignature),
}


@pytest.mark.guarantee("S10")
@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_refused_by_name(kind: str, user_wallet: Wallet) -> None:
    """Each kind of bad input gets its own error, which is the sender's fault."""
    make, error = BAD[kind]
    with pytest.raises(error) as refusal:
        verify(make(user_wallet))
    assert 400 <= refusal.value.status < 500
    assert len(refusal.value.detail) < 200
    assert "\n" not in refusal.value.detail


@pytest.mark.guarantee("S10")
def test_a_wrong_signature_by_another_wallet_is_refused(
    wallet: Wallet, user_wallet: Wallet
) -> None:
    """An owner swapped for another does not verify, though both keys are real."""
    item = Message.decode(message_item(user_wallet, PROCESS)).item
    with pytest.raises(InvalidSignature):
        verify(ans104.with_signature(item, wallet.owner, item.signature).encode())


def test_the_signature_is_checked_last() -> None:
    """A message that is refused for another reason costs no verification."""
    unsigned = ans104.unsigned(target=b"").encode()
    with pytest.raises(NoTarget):
        verify(unsigned)
    with pytest.raises(UnsupportedSignature):
        verify(unsigned, accept=frozenset({ED25519}))


def test_a_message_is_for_its_target(user_wallet: Wallet) -> None:
    """The target field names the process, and the signer is the committer."""
    encoded = message_item(user_wallet, PROCESS)
    verified = verify(encoded)
    assert verified.process == PROCESS
    assert not verified.is_process
    assert verified.path == b"compute"
    assert verified.committers == (user_wallet.address,)
    assert verified.message_id == Message.decode(encoded).id
    assert (verified.codec, verified.encoded) == ("ans104", encoded)
    assert verified.keys[b"target"] == PROCESS.ascii


def test_a_process_is_for_itself(wallet: Wallet, user_wallet: Wallet) -> None:
    """A message of type Process is its own process, whatever it targets."""
    spawn = verify(process_item(user_wallet, wallet.address, target=str(PROCESS)))
    assert spawn.is_process
    assert spawn.process == spawn.message_id


@pytest.mark.parametrize("kind", [b"process", b"PROCESS", b"Process ", b""])
def test_the_type_is_matched_exactly(kind: bytes, user_wallet: Wallet) -> None:
    """`Process` is the one spelling; anything else is a message for its target."""
    verified = verify(odd_item(user_wallet, [(b"Type", kind)]))
    assert (verified.is_process, verified.process) == (False, PROCESS)


def test_a_type_given_twice_is_no_process(user_wallet: Wallet) -> None:
    """Two tags of one name make a list, and a list is not the word."""
    verified = verify(odd_item(user_wallet, [(b"Type", b"Process"), (b"type", b"Process")]))
    assert verified.keys[b"type"] == b'"Process", "Process"'
    assert not verified.is_process


def test_a_target_tag_serves_where_there_is_no_field(user_wallet: Wallet) -> None:
    """The tag's ID is the process, and the field wins where there are both."""
    other = Id(bytes(32))
    tags = [(b"Target", other.ascii)]
    assert verify(odd_item(user_wallet, tags, target=b"")).process == other
    assert verify(odd_item(user_wallet, tags)).process == PROCESS


def test_a_path_of_its_own_is_kept(user_wallet: Wallet) -> None:
    """The message's `path`, up to the longest that fits an assignment, is the assignment's."""
    longest = b"p" * 3072
    assert verify(odd_item(user_wallet, [(b"Path", longest)])).path == longest
    assert verify(odd_item(user_wallet, [(b"Path", b"")])).path == b"compute"


@pytest.mark.guarantee("S10")
@pytest.mark.parametrize("kind", OTHER_TYPES)
def test_other_signature_types_are_accepted_only_when_asked(kind: str) -> None:
    """Ed25519 and Ethereum verify, but are scheduled only where the operator accepts them."""
    encoded = OTHER_TYPES[kind]
    with pytest.raises(UnsupportedSignature, match=r"[23] is not accepted"):
        verify(encoded)
    message = Message.decode(encoded)
    verified = verify(encoded, accept=EVERY_TYPE)
    assert verified.message_id == message.id
    assert verified.committers == (message.item.owner_address,)


@pytest.mark.guarantee("S10")
@pytest.mark.parametrize("kind", OTHER_TYPES)
def test_a_wrong_signature_of_another_type_is_refused(kind: str) -> None:
    """A changed signature and changed data are refused, whatever key signed."""
    item = Message.decode(OTHER_TYPES[kind]).item
    signature = bytes((item.signature[0] ^ 1,)) + item.signature[1:]
    for changed in (replace(item, signature=signature), replace(item, data=item.data + b"!")):
        with pytest.raises(InvalidSignature):
            verify(changed.encode(), accept=EVERY_TYPE)


@pytest.mark.guarantee("S13")
def test_a_mirrored_signature_is_no_second_message() -> None:
    """Anybody can mirror s and v of an Ethereum signature; that is no other message's ID."""
    item = Message.decode(ethereum_item()).item
    r, s, v = item.signature[:32], int.from_bytes(item.signature[32:64], "big"), item.signature[64]
    mirrored = replace(item, signature=r + (ORDER - s).to_bytes(32, "big") + bytes((55 - v,)))
    assert mirrored.id != item.id
    assert recovered(mirrored) == recovered(item) == item.owner
    with pytest.raises(InvalidSignature):
        verify(mirrored.encode(), accept=EVERY_TYPE)


@pytest.mark.parametrize("name", CLIENTS)
def test_what_real_clients_send_is_accepted(name: str) -> None:
    """Recorded aoconnect messages and processes verify under the default rules."""
    encoded = raw(recorded_items()[name]["item_b64u"])
    assert verify(encoded).message_id == Message.decode(encoded).id


def test_a_recorded_request_is_no_message_for_a_process() -> None:
    """What aoconnect signs to ask for a slot names no target, and is not scheduled."""
    with pytest.raises(NoTarget):
        verify(raw(recorded_items()["aoconnect-slot.1"]["item_b64u"]))


@pytest.mark.guarantee("S10")
def test_nobody_else_makes_a_verified(user_wallet: Wallet) -> None:
    """Neither the constructor nor a changed copy gives a `Verified`."""
    verified = verify(message_item(user_wallet, PROCESS))
    fields = {f.name: getattr(verified, f.name) for f in dataclasses.fields(verified)}
    with pytest.raises(TypeError, match="only verify"):
        Verified(**fields)
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(verified, process=Id(bytes(32)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        verified.process = Id(bytes(32))


def test_nobody_else_makes_a_message(user_wallet: Wallet) -> None:
    """A `Message` comes from its bytes, so its keys cannot be anybody's word."""
    message = Message.decode(message_item(user_wallet, PROCESS))
    fields = {f.name: getattr(message, f.name) for f in dataclasses.fields(message)}
    with pytest.raises(TypeError, match="only decode"):
        Message(**fields)
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(message, keys={b"type": b"Process"})


def test_messages_travel_to_another_process(user_wallet: Wallet) -> None:
    """Pickling keeps a message whole, verified or not: a shard need not verify again."""
    encoded = message_item(user_wallet, PROCESS)
    for sent in (Message.decode(encoded), verify(encoded)):
        arrived = pickle.loads(pickle.dumps(sent))
        for name in (f.name for f in dataclasses.fields(sent)):
            assert getattr(arrived, name) == getattr(sent, name)
    assert isinstance(arrived.process, Id)


def test_equal_bytes_are_equal_messages(user_wallet: Wallet) -> None:
    """Messages are values: the same bytes are the same one, in a set as well."""
    encoded, other = (message_item(user_wallet, PROCESS, number) for number in range(2))
    for read in (Message.decode, verify):
        assert len({read(encoded), read(encoded), read(other)}) == 2


def test_messages_are_shown_without_their_bytes(user_wallet: Wallet) -> None:
    """A log line with a message in it stays a line."""
    encoded = message_item(user_wallet, PROCESS, data=b"x" * 100_000)
    message = Message.decode(encoded)
    for shown in (message, verify(encoded), message.item):
        assert len(repr(shown)) < 1000
    assert str(message.id) in repr(message)
    assert str(message.id) in repr(verify(encoded))


def test_everything_but_the_signature_can_be_measured(user_wallet: Wallet) -> None:
    """`check_signatures=False` skips cryptography and nothing else."""
    changed = message_item(user_wallet, PROCESS)[:-1] + b"!"
    assert verify(changed, check_signatures=False).process == PROCESS
    with pytest.raises(NoTarget):
        verify(ans104.unsigned().encode(), check_signatures=False)


def test_the_loose_id_is_the_trap_it_claims_to_be() -> None:
    """The text differs from the canonical one only in bits that decoding drops."""
    assert str(PROCESS) != LOOSE_ID
    assert urlsafe_b64encode(raw(LOOSE_ID))[:43].decode() == str(PROCESS)


def recovered(item: ans104.Item) -> bytes:
    """The key that an Ethereum signature leads to, by whoever does not mind its form."""
    signature = item.signature[:64] + bytes((item.signature[64] - 27,))
    digest = keccak256(PREFIX + item.signature_data())
    return PublicKey.from_signature_and_message(signature, digest, hasher=None).format(False)
