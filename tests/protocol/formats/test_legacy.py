from __future__ import annotations

from base64 import urlsafe_b64encode

import orjson

from protocol.assignment import LEGACY_VARIANT
from protocol.codecs import ans104
from protocol.formats import legacy
from protocol.ids import Id
from protocol.message import Message
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.protocol.formats.entries import BLOCK, entry, item_of, legacy_entry
from tests.protocol.recorded import raw

PROCESS = Id(bytes(range(32)))
ORDER = ["Process", "Epoch", "Nonce", "Hash-Chain", "Block-Height", "Timestamp"]
ORDER += ["Data-Protocol", "Type", "Variant"]


def test_a_message_is_shown_as_it_was_signed(user_wallet: Wallet) -> None:
    """From its JSON alone, a data item can be put together again, and its signature verifies."""
    message = Message.decode(message_item(user_wallet, PROCESS))
    shown = legacy.message(message)
    pairs = [(tag["name"].encode(), tag["value"].encode()) for tag in shown["tags"]]
    target = Id.parse(shown["target"])
    built = ans104.unsigned(pairs, shown["data"].encode(), target)
    signed = ans104.with_signature(built, raw(shown["owner"]["key"]), message.item.signature)
    assert signed.verify()
    assert (str(signed.id), shown["anchor"]) == (shown["id"], None)
    assert shown["owner"]["address"] == str(user_wallet.address)
    assert raw(shown["signature"]) == message.item.signature
    assert list(shown) == ["id", "owner", "tags", "signature", "anchor", "target", "data"]


def test_an_assignment_is_shown_as_it_was_signed(wallet: Wallet, user_wallet: Wallet) -> None:
    """One of variant ao.TN.1 can be put together again from its JSON, anchor included."""
    made = legacy_entry(Message.decode(message_item(user_wallet, PROCESS)), wallet, PROCESS, 4)
    shown, item = legacy.assignment(made.assignment, show_anchor=True), item_of(made)
    pairs = [(tag["name"].encode(), tag["value"].encode()) for tag in shown["tags"]]
    built = ans104.unsigned(pairs, anchor=raw(shown["anchor"]))
    signed = ans104.with_signature(built, wallet.owner, item.signature)
    assert signed == item
    assert signed.verify()
    assert "data" not in shown
    assert [tag["name"] for tag in shown["tags"]] == [*ORDER, "Message"]


def test_an_assignment_of_another_variant_has_the_names_that_old_readers_look_for(
    wallet: Wallet, user_wallet: Wallet
) -> None:
    """Its slot is the nonce, its height has twelve digits, and its variant is the true one."""
    message = Message.decode(message_item(user_wallet, PROCESS))
    shown = legacy.assignment(entry(message, wallet, PROCESS, 12).assignment)
    tags = {tag["name"]: tag["value"] for tag in shown["tags"]}
    assert list(tags) == [*ORDER, "Message"]
    assert (tags["Nonce"], tags["Block-Height"]) == ("12", "000001331218")
    assert (tags["Variant"], tags["Message"]) == ("ao.N.1", str(message.id))
    assert (shown["anchor"], shown["target"]) == (None, "")


def test_the_assignment_of_a_process_names_no_message(wallet: Wallet, user_wallet: Wallet) -> None:
    """At slot 0 the process is the message, and the tag is absent."""
    process = Message.decode(process_item(user_wallet, wallet.address))
    shown = legacy.assignment(entry(process, wallet, process.id, 0).assignment)
    assert [tag["name"] for tag in shown["tags"]] == ORDER


def test_a_process_is_shown_with_its_block_and_time(wallet: Wallet, user_wallet: Wallet) -> None:
    """The process object repeats the message, with block and time of its assignment."""
    process = Message.decode(process_item(user_wallet, wallet.address, Variant=LEGACY_VARIANT))
    shown = legacy.process(legacy_entry(process, wallet, process.id, 0))
    names = ["process_id", "block", "owner", "tags", "timestamp", "data", "anchor"]
    assert list(shown) == [*names, "signature", "target"]
    assert (shown["process_id"], shown["block"]) == (str(process.id), f"{BLOCK.height:012}")
    assert (shown["timestamp"], shown["target"]) == (1_700_000_000_000, None)


def test_bytes_that_are_no_text_are_null_or_base64url(user_wallet: Wallet) -> None:
    """Data that is no UTF-8 is null, and so is an anchor, unless anchors are asked for."""
    anchor = bytes([0xFF]) * 32
    message = Message.create(
        {"Type": "Message", "data": b"\xff\x00", "anchor": str(Id(anchor))}, user_wallet
    )
    assert legacy.message(message)["data"] is None
    assert legacy.message(message)["anchor"] is None
    assert legacy.message(message, show_anchor=True)["anchor"] == str(Id(anchor))


def test_an_anchor_that_is_text_is_shown_as_text(user_wallet: Wallet) -> None:
    """32 characters of text stay text, asked for or not."""
    text = "0123456789abcdef0123456789abcdef"
    anchor = urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
    message = Message.create({"Type": "Message", "anchor": anchor}, user_wallet)
    assert legacy.message(message)["anchor"] == text
    assert legacy.message(message, show_anchor=True)["anchor"] == text


def test_cursors_are_what_the_request_counted_in(wallet: Wallet, user_wallet: Wallet) -> None:
    """A page by nonce has nonces as cursors, any other timestamps; both are text."""
    message = Message.decode(message_item(user_wallet, PROCESS))
    slots = [entry(message, wallet, PROCESS, slot) for slot in (5, 6)]
    for by_nonce, cursors in ((True, ["5", "6"]), (False, ["1700000000005", "1700000000006"])):
        page = orjson.loads(legacy.page(slots, more=True, by_nonce=by_nonce))
        assert [edge["cursor"] for edge in page["edges"]] == cursors
        assert page["page_info"] == {"has_next_page": True}
        assert set(page["edges"][0]["node"]) == {"message", "assignment"}
