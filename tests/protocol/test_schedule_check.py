from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from protocol.assignment import LEGACY_VARIANT, VARIANT
from protocol.commitment import ANS104, HTTPSIG
from protocol.entry import Entry
from protocol.errors import UntrustedSchedule
from protocol.ids import Id
from protocol.message import Message
from protocol.schedule_check import check, check_link, check_opening
from tests.foreign import extended, forged, process_of, schedule, signed
from tests.items import message_item

KINDS = {
    "hash-chain": ("hash-chain", ANS104, VARIANT),
    "hash-chain-httpsig": ("hash-chain", HTTPSIG, VARIANT),
    "base-hashpath": ("base-hashpath", ANS104, VARIANT),
    "legacy": ("legacy", ANS104, LEGACY_VARIANT),
}


@pytest.fixture(scope="module", params=KINDS)
def entries(request, user_wallet, wallet) -> list[Entry]:
    """Five slots of a process, by every chain rule."""
    chain, device, variant = KINDS[request.param]
    return schedule(user_wallet, wallet, 5, chain=chain, device=device, variant=variant)


@pytest.fixture(scope="module")
def plain(user_wallet, wallet) -> list[Entry]:
    """Five slots of a process."""
    return schedule(user_wallet, wallet, 5)


def verify(entries: list[Entry], after: Entry | None = None, opening: Entry | None = None) -> None:
    opening = opening or entries[0]
    check(process_of(entries), entries, after, opening.message.keys)


def test_a_true_schedule_is_believed(entries) -> None:
    """From slot 0, from any slot that is proven, and from one that is only signed."""
    check_opening(process_of(entries), entries[0])
    verify(entries)
    verify(entries[2:], entries[1], entries[0])
    verify(entries[2:], None, entries[0])
    check(process_of(entries), [], None, entries[0].message.keys)
    for before, entry in pairwise(entries):
        check_link(entry, before)


@pytest.mark.guarantee("S11")
@pytest.mark.parametrize("slot", [0, 2, 4])
def test_one_who_is_not_named_cannot_sign(entries, user_wallet, slot) -> None:
    """A schedule signed by somebody else is nobody's."""
    refuse(entries, slot, forged(entries[slot], user_wallet), "does not name")


def test_one_more_signature_by_a_stranger_is_refused(plain, wallet, user_wallet) -> None:
    """Its ID would be another one than that of the scheduler's own assignment."""
    both = replace(plain[2], assignment=signed(plain[2].assignment, wallet, user_wallet))
    refuse(plain, 2, both, "does not name")


def test_an_unsigned_slot_is_refused(plain) -> None:
    """Without a signature anybody may have written it."""
    refuse(plain, 4, replace(plain[4], assignment=plain[4].assignment.signed(())), "nobody")


@pytest.mark.guarantee("S11")
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"timestamp": 1}, "does not verify"),
        ({"slot": 3}, "comes after slot 1"),
        ({"link": "A" * 43}, "does not follow"),
        ({"link": "no link"}, "does not follow"),
        ({"process": Id(b"\x05" * 32)}, "belongs to process"),
        ({"message_id": Id(b"\x05" * 32)}, "not with the one it names"),
        ({"path": b"other"}, "does not verify"),
        ({"chain": "base-hashpath"}, "chain rule"),
        ({"variant": LEGACY_VARIANT}, "variant"),
        ({"chain": "new-chain"}, "chain rule"),
    ],
)
def test_a_changed_slot_is_refused(plain, changes, why) -> None:
    """Whatever is changed on the way, signed again or not."""
    changed = replace(plain[2], assignment=replace(plain[2].assignment, **changes))
    refuse(plain, 2, changed, why)


@pytest.mark.guarantee("S11")
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"slot": 3}, "comes after slot 1"),
        ({"link": "A" * 43}, "does not follow"),
        ({"process": Id(b"\x05" * 32)}, "belongs to process"),
        ({"message_id": Id(b"\x05" * 32)}, "not with the one it names"),
    ],
)
def test_a_scheduler_that_lies_is_refused(plain, wallet, changes, why) -> None:
    """Its own signature does not make a slot follow, or hold another message."""
    refuse(plain, 2, forged(plain[2], wallet, **changes), why)


@pytest.mark.guarantee("S11")
def test_a_missing_slot_is_noticed(entries) -> None:
    """A schedule has no gaps."""
    with pytest.raises(UntrustedSchedule, match="comes after slot 1"):
        verify([*entries[:2], *entries[3:]])


def test_a_slot_that_comes_twice_is_noticed(entries) -> None:
    """Nor does it go back."""
    with pytest.raises(UntrustedSchedule, match="comes after slot 2"):
        verify([*entries[:3], entries[2]])


@pytest.mark.guarantee("S11")
def test_another_history_does_not_follow_what_is_proven(entries, user_wallet, wallet) -> None:
    """A scheduler that signs two histories is found out where they meet."""
    assignment = entries[0].assignment
    other = list(entries[:2])
    kind = (assignment.chain, assignment.commitments[0].device, assignment.variant)
    for number in (77, 78):
        message = Message.decode(message_item(user_wallet, process_of(entries), number))
        other.append(extended(other, message, wallet, *kind))
    verify(other)
    with pytest.raises(UntrustedSchedule, match="does not follow"):
        verify(entries[4:], other[3], entries[0])
    with pytest.raises(UntrustedSchedule, match="does not follow"):
        check_link(entries[4], other[3])


@pytest.mark.guarantee("S11")
def test_a_message_that_its_sender_did_not_sign_is_refused(plain, user_wallet, wallet) -> None:
    """Not even the scheduler can put words into somebody's mouth."""
    encoded = bytearray(message_item(user_wallet, process_of(plain), 9))
    encoded[-1] ^= 1
    fake = extended(plain[:2], Message.decode(bytes(encoded)), wallet)
    with pytest.raises(UntrustedSchedule, match="its message: the signature does not verify"):
        verify([*plain[:2], fake])


def test_slot_0_holds_the_process_itself(plain, user_wallet) -> None:
    """No other message can say who schedules a process."""
    with pytest.raises(UntrustedSchedule, match="where slot 0 should"):
        check_opening(process_of(plain), plain[1])
    other = schedule(user_wallet, user_wallet, 1)[0]
    with pytest.raises(UntrustedSchedule, match="belongs to process"):
        check_opening(process_of(plain), other)
    moved = forged(other, user_wallet, process=process_of(plain))
    with pytest.raises(UntrustedSchedule, match="does not hold the process"):
        check_opening(process_of(plain), moved)


def test_slot_0_begins_the_chain(plain, wallet) -> None:
    """Nothing stands before it."""
    with pytest.raises(UntrustedSchedule, match="beginning"):
        check_opening(process_of(plain), forged(plain[0], wallet, link=plain[1].assignment.link))


def refuse(entries: list[Entry], slot: int, instead: Entry, why: str) -> None:
    poisoned = [*entries[:slot], instead, *entries[slot + 1 :]]
    with pytest.raises(UntrustedSchedule, match=why):
        verify(poisoned, None, entries[0])
