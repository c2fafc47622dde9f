"""Entries to show: recorded ones, and slots signed here."""

from __future__ import annotations

from protocol.assignment import LEGACY_VARIANT, Assignment, Block
from protocol.codecs import ans104
from protocol.codecs.assignment import commit, encode, of_item, scheme, signature_data
from protocol.commitment import ANS104
from protocol.entry import Entry
from protocol.ids import Id
from protocol.message import Message
from protocol.wallet import Wallet

BLOCK = Block(1_331_218, 1_763_582_401, "b" * 64)


def entry(message: Message, wallet: Wallet, process: Id, slot: int, **fields: object) -> Entry:
    """One slot, signed by `wallet`; `fields` are those of the assignment."""
    known: dict = {"link": "A" * 43, "timestamp": 1_700_000_000_000 + slot, "block": BLOCK}
    unsigned = Assignment(process, slot, message.id, **(known | fields))
    signature = wallet.sign(signature_data(unsigned, wallet.owner), scheme(ANS104))
    return Entry(unsigned.signed([commit(wallet.owner, signature)]), message)


def legacy_entry(message: Message, wallet: Wallet, process: Id, slot: int) -> Entry:
    """One slot of a process of variant ao.TN.1."""
    return entry(message, wallet, process, slot, chain="legacy", variant=LEGACY_VARIANT)


def item_of(entry: Entry) -> ans104.Item:
    """The published item of an assignment."""
    item = ans104.parse(encode(entry.assignment, entry.assignment.commitments[0]))
    assert of_item(item).id == entry.assignment.id
    return item
