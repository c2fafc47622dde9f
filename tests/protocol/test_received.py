"""What another program of the node verified is taken at its word."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from protocol.errors import InvalidInput
from protocol.ids import Id
from protocol.message import Verified, received, verify
from protocol.wallet import Wallet
from tests.items import message_item, process_item, signed_message

PROCESS = Id(bytes(range(32)))
FIELDS = [f.name for f in dataclasses.fields(Verified) if f.name != "keys"]


@pytest.fixture(params=["process", "item", "httpsig"])
def verified(request: pytest.FixtureRequest, user_wallet: Wallet) -> Verified:
    """Each kind of message that can be scheduled."""
    if request.param == "process":
        return verify(process_item(user_wallet, PROCESS))
    if request.param == "item":
        return verify(message_item(user_wallet, PROCESS))
    return verify(signed_message(user_wallet, PROCESS))


def again(verified: Verified, **changed: object) -> Verified:
    """What arrives in another program: every field but the keys."""
    return received(**{name: getattr(verified, name) for name in FIELDS} | changed)


def test_it_arrives_as_it_was_verified(verified) -> None:
    """All fields are those of the message that was verified, its keys included."""
    arrived = again(verified)
    assert arrived == verified
    assert dict(arrived.keys) == dict(verified.keys)
    assert arrived.keys[b"type"] == verified.keys[b"type"]
    assert len(arrived.keys) == len(verified.keys)


def test_nothing_is_read_before_a_key_is_asked_for(verified) -> None:
    """Bytes that nobody verified are found out when a key is asked for, and not before."""
    arrived = again(verified, encoded=b"nothing")
    assert arrived.encoded == b"nothing"
    with pytest.raises(InvalidInput):
        arrived.keys.get(b"type")


def test_it_can_be_handed_on(verified) -> None:
    """A received message is a value that can be copied into yet another program."""
    arrived = pickle.loads(pickle.dumps(again(verified)))
    assert arrived == verified
    assert dict(arrived.keys) == dict(verified.keys)
