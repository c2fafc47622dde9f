"""Messages built from typed input, byte for byte as HyperBEAM builds them."""

from __future__ import annotations

import pytest

from protocol.codecs import ans104
from protocol.codecs.ans104_keys import item_of
from protocol.codecs.structured import to_tabm
from protocol.errors import UnsupportedValue
from protocol.message import Message
from protocol.wallet import Wallet
from tests.protocol.recorded import Json, is_flat, raw, scalar, vectors

MESSAGES = {message["name"]: message for message in vectors("ans104")["messages"]}
FLAT = [name for name, message in MESSAGES.items() if is_flat(message["unsigned_item"])]
COMMITTED = [name for name in FLAT if "error" not in MESSAGES[name]["commit"]]
TOO_LONG = ["big-4097", "big-two-and-body"]


@pytest.mark.parametrize("name", FLAT)
def test_an_unsigned_message_is_built_as_recorded(name: str) -> None:
    """Typed input becomes the very bytes of the recorded unsigned item."""
    built = item_of(to_tabm(typed(name)))
    assert built.encode() == raw(MESSAGES[name]["unsigned_item"]["item_b64u"])
    assert built == ans104.parse(built.encode())


@pytest.mark.parametrize("name", COMMITTED)
def test_a_recorded_wallet_signed_what_we_build(name: str) -> None:
    """The recorded signature verifies over our form of the message: we sign the same 48 bytes."""
    signed = ans104.parse(raw(MESSAGES[name]["commit"]["item_b64u"]))
    built = ans104.with_signature(item_of(to_tabm(typed(name))), signed.owner, signed.signature)
    assert built.verify()
    if name != "empty-body":  # HyperBEAM wrote another form of this one than it signed
        assert built.encode() == signed.encode()


@pytest.mark.parametrize("name", COMMITTED)
def test_a_created_message_reads_back_as_itself(name: str, user_wallet: Wallet) -> None:
    """What `create` signs decodes to the same message, with the recorded tags."""
    message = Message.create(typed(name), user_wallet)
    decoded = Message.decode(message.encoded)
    assert (decoded.keys, decoded.item) == (message.keys, message.item)
    assert message.item.verify()
    assert message.item.tag_bytes == item_of(to_tabm(typed(name))).tag_bytes


def test_an_integer_that_parsers_refuse_is_not_signed(user_wallet: Wallet) -> None:
    """HyperBEAM writes 16 digits but cannot commit to them; `create` refuses by name."""
    assert "error" in MESSAGES["integer-16-digits"]["commit"]
    with pytest.raises(UnsupportedValue, match="15 digits"):
        Message.create(typed("integer-16-digits"), user_wallet)


@pytest.mark.parametrize("name", TOO_LONG)
def test_a_value_that_needs_a_bundle_is_refused(name: str, user_wallet: Wallet) -> None:
    """Values longer than a tag go into a nested item in HyperBEAM; that is refused, not cut."""
    assert MESSAGES[name]["unsigned_item"]["nested"]
    with pytest.raises(UnsupportedValue, match="too long for a tag"):
        Message.create(typed(name), user_wallet)


def typed(name: str) -> Json:
    return {key: scalar(value) for key, value in MESSAGES[name]["input"]["v"]}
