"""Assignments of the older variant: their items, chain, and how they are read and shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocol.assignment import LEGACY_VARIANT, Assignment, Block
from protocol.chain import chain_rule
from protocol.codecs import ans104
from protocol.codecs.assignment import commit, encode, of_item, signature_data, tabm, verify
from protocol.errors import InvalidId, InvalidSignature, MalformedItem
from protocol.ids import digest_id
from protocol.tabm import COMMITMENTS
from protocol.wallet import Wallet

PROCESS = digest_id(b"process")
RULE = chain_rule("legacy")
OPENING = Assignment(
    process=PROCESS,
    slot=0,
    message_id=PROCESS,
    link=RULE.next("", PROCESS, None),
    timestamp=1_795_222_378_393,
    block=Block(height=1_331_218),
    chain=RULE.name,
    variant=LEGACY_VARIANT,
)
SECOND = replace(
    OPENING,
    slot=1,
    message_id=digest_id(b"message"),
    link=RULE.next(OPENING.link, digest_id(b"message"), digest_id(b"opening")),
)


def test_tags_are_those_of_the_scheduler_unit(wallet: Wallet) -> None:
    """Their order, names and numbers; the process's own assignment names no message."""
    item = item_of(SECOND, wallet)
    assert item.tags == (
        (b"Process", PROCESS.ascii),
        (b"Epoch", b"0"),
        (b"Nonce", b"1"),
        (b"Hash-Chain", SECOND.link.encode()),
        (b"Block-Height", b"000001331218"),
        (b"Timestamp", b"1795222378393"),
        (b"Data-Protocol", b"ao"),
        (b"Type", b"Assignment"),
        (b"Variant", b"ao.TN.1"),
        (b"Message", SECOND.message_id.ascii),
    )
    assert item_of(OPENING, wallet).tags[-1] == (b"Variant", b"ao.TN.1")
    assert (item.target, item.data) == (b"", b"")


def test_a_slot_that_is_signed_again_is_the_same_item(wallet: Wallet) -> None:
    """The anchor follows from the slot: two signatures are over the same bytes."""
    first, again = item_of(SECOND, wallet), item_of(SECOND, wallet)
    assert first.signature != again.signature
    assert first.signature_data() == again.signature_data()
    assert len(first.anchor) == 32
    assert first.anchor != item_of(OPENING, wallet).anchor


def test_an_item_is_sound_and_read_back(wallet: Wallet) -> None:
    """Bundlers take it, its signature verifies, and reading gives what was written."""
    for unsigned in (OPENING, SECOND):
        item = item_of(unsigned, wallet)
        assert item.flaw == ""
        assert item.verify()
        found = of_item(item)
        verify(found)
        assert found.signed(()) == unsigned
        assert found.id == item.id


def test_what_others_wrote_keeps_its_own_form(wallet: Wallet, user_wallet: Wallet) -> None:
    """A unit's random anchor and further tags stay, so its signature verifies, and its bytes."""
    tags = (*item_of(SECOND, wallet).tags, (b"Exclude", b"Data"))
    theirs = ans104.sign(ans104.unsigned(tags, anchor=bytes(32)), user_wallet)
    found = of_item(theirs)
    verify(found)
    (commitment,) = found.commitments
    assert encode(found, commitment) == theirs.encode()
    damaged = replace(theirs, signature=bytes(512))
    with pytest.raises(InvalidSignature):
        verify(of_item(damaged))


def test_as_a_message_it_names_slot_and_body_too(wallet: Wallet, user_wallet: Wallet) -> None:
    """Beside what is committed, for whoever reads schedules; with every signer's commitment."""
    commitments = [
        commit(each.owner, each.sign(signature_data(SECOND, each.owner)))
        for each in (wallet, user_wallet)
    ]
    signed = SECOND.signed(commitments)
    shown = tabm(signed)
    assert shown[b"slot"] == b"1"
    assert shown[b"body+link"] == SECOND.message_id.ascii
    assert shown[b"nonce"] == b"1"
    assert set(shown[COMMITMENTS]) == {each.id.ascii for each in commitments}
    inline = tabm(signed, {b"data": b"x"})
    assert inline[b"body"] == {b"data": b"x"}
    assert b"body+link" not in inline


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"Type", b"Message"),
        (b"Variant", b"ao.N.1"),
        (b"Process", b"x"),
        (b"Message", b""),
        (b"Nonce", b"-1"),
        (b"Nonce", b"1" * 19),
        (b"Timestamp", b"now"),
        (b"Block-Height", b""),
        (b"Hash-Chain", b"A"),
        (b"Epoch", b"\xff"),
        (b"Nonce", None),
    ],
)
def test_what_is_no_assignment_is_named(wallet: Wallet, name: bytes, value: bytes | None) -> None:
    """Whatever another unit sends, it is read whole or refused with a reason."""
    tags = [
        (key, old if key != name else value)
        for key, old in item_of(SECOND, wallet).tags
        if key != name or value is not None
    ]
    with pytest.raises((MalformedItem, InvalidId)):
        of_item(ans104.unsigned(tags))


def item_of(unsigned: Assignment, wallet: Wallet) -> ans104.Item:
    commitment = commit(wallet.owner, wallet.sign(signature_data(unsigned, wallet.owner)))
    return ans104.parse(encode(unsigned.signed([commitment]), commitment))
