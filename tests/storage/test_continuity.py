"""Compare-and-append: what does not continue a head is refused as a whole, and stops the store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocol.assignment import Block
from protocol.errors import Fenced
from storage import Batch
from tests.storage.conftest import World
from tests.storage.schedules import Schedule, commitment, random_id, receipt

STORED = 2
"""Slots that the process has before the entry that does not fit."""


def pin(**changes):
    return lambda schedule: Batch(pins=[schedule.pin(**changes)])


def first_pin(**changes):
    def batch(_: Schedule) -> Batch:
        return Batch(pins=[Schedule().pin(**changes)])

    return batch


def with_terms(schedule: Schedule) -> Batch:
    return Batch(pins=[schedule.pin()._replace(terms=schedule.pins[0].terms)])


def without_terms(_: Schedule) -> Batch:
    return Batch(pins=[Schedule().pin()._replace(terms=None)])


def begins_at_slot_1(_: Schedule) -> Batch:
    stranger = Schedule()
    stranger.pin()
    return Batch(pins=[stranger.pin()])


def already_signed(schedule: Schedule) -> Batch:
    pin = schedule.pin()
    return Batch(pins=[pin._replace(assignment=schedule.sign(pin.assignment))])


BAD_PINS = {
    "a slot left out": (pin(slot=STORED + 1), "next to pin"),
    "a slot given again": (pin(slot=STORED - 1), "next to pin"),
    "a negative slot": (pin(slot=-1), "next to pin"),
    "another link": (pin(link="A" * 43), "breaks the chain"),
    "another message": (pin(message_id=random_id(), link="B" * 43), "breaks the chain"),
    "an earlier timestamp": (pin(timestamp=1), "back in time"),
    "a lower block": (pin(block=Block(1)), "back in time"),
    "another chain rule": (pin(chain="other"), "departs from the terms"),
    "another variant": (pin(variant="ao.TN.1"), "departs from the terms"),
    "another epoch": (pin(epoch="1"), "departs from the terms"),
    "signatures": (already_signed, "departs from the terms"),
    "terms a second time": (with_terms, "does not begin"),
    "no terms": (without_terms, "no terms"),
    "slot 1 of an unknown process": (begins_at_slot_1, "does not begin"),
    "slot 0 with another message": (first_pin(process=random_id()), "does not begin"),
}


@pytest.mark.guarantee("S2", "S3", "S8", "S9")
@pytest.mark.parametrize(("make", "complaint"), BAD_PINS.values(), ids=BAD_PINS)
def test_a_pin_that_does_not_follow_is_fenced(world: World, make, complaint: str) -> None:
    """A pin with a gap, a wrong link, a step back in time or other terms is never written."""
    schedule = Schedule()
    world.journal.append(schedule.stored(STORED))
    refused_as_a_whole(world, schedule, make(schedule), complaint)


def unpinned(schedule: Schedule) -> Batch:
    return Batch(signed=[schedule.sign(schedule.pin().assignment)])


def signed(**changes):
    def batch(schedule: Schedule) -> Batch:
        pin = schedule.pin()
        altered = replace(pin.assignment, **changes)
        return Batch(pins=[pin], signed=[schedule.sign(altered)])

    return batch


def signed_by(*commitments):
    def batch(schedule: Schedule) -> Batch:
        pin = schedule.pin()
        return Batch(pins=[pin], signed=[pin.assignment.signed(commitments)])

    return batch


def signed_out_of_order(schedule: Schedule) -> Batch:
    pins = [schedule.pin(), schedule.pin()]
    return Batch(pins=pins, signed=[schedule.sign(pin.assignment) for pin in reversed(pins)])


def signed_again(schedule: Schedule) -> Batch:
    return Batch(signed=[schedule.sign(schedule.pins[0].assignment)])


def signed_for_a_stranger(_: Schedule) -> Batch:
    return unpinned(Schedule())


BAD_SIGNED = {
    "what is not pinned": (unpinned, "next to store"),
    "a later slot first": (signed_out_of_order, "next to store"),
    "a slot twice": (signed_again, "next to store"),
    "an unknown process": (signed_for_a_stranger, "nothing pinned"),
    "another timestamp": (signed(timestamp=6000), "not what was pinned"),
    "another message": (signed(message_id=random_id()), "not what was pinned"),
    "another block hash": (signed(block=Block(102, 1002, "c" * 43)), "not what was pinned"),
    "another path": (signed(path=b"push"), "not what was pinned"),
    "no signature": (signed_by(), "not signed as"),
    "a stranger's signature": (signed_by(commitment(b"s" * 512)), "not signed as"),
    "another device": (signed_by(commitment(device="httpsig@1.0")), "not signed as"),
    "one signature too many": (signed_by(commitment(), commitment()), "not signed as"),
}


@pytest.mark.guarantee("S1", "S2")
@pytest.mark.parametrize(("make", "complaint"), BAD_SIGNED.values(), ids=BAD_SIGNED)
def test_a_signature_that_does_not_follow_is_fenced(world: World, make, complaint: str) -> None:
    """Only what is pinned is stored, exactly as it was pinned, by exactly its signers."""
    schedule = Schedule()
    world.journal.append(schedule.stored(STORED))
    refused_as_a_whole(world, schedule, make(schedule), complaint)


@pytest.mark.parametrize("slot", [-1, 1, STORED])
def test_a_receipt_that_does_not_follow_is_fenced(world: World, slot: int) -> None:
    """A receipt is kept for the next unpublished slot only, and only once that is stored."""
    schedule = Schedule()
    world.journal.append(schedule.stored(STORED))
    batch = Batch(receipts=[receipt(schedule.process, slot)])
    refused_as_a_whole(world, schedule, batch, "next to publish")


def test_a_receipt_for_an_unknown_process_is_fenced(world: World) -> None:
    """What was never pinned here cannot have been published from here."""
    schedule = Schedule()
    world.journal.append(schedule.stored(STORED))
    batch = Batch(receipts=[receipt(random_id(), 0)])
    refused_as_a_whole(world, schedule, batch, "nothing pinned")


SERIAL = ["base-hashpath", "legacy"]


@pytest.mark.guarantee("S3")
@pytest.mark.parametrize("chain", SERIAL)
def test_a_serial_pin_follows_the_stored_assignment(world: World, chain: str) -> None:
    """Its link is made of the ID that the slot before has in the store, also after a restart."""
    schedule = serial(world, chain)
    world.journal.append(Batch(pins=[schedule.pin()]))
    world.reopen()
    world.journal.append(Batch(signed=[schedule.sign(schedule.pins[-1].assignment)]))
    world.journal.append(Batch(pins=[schedule.pin()]))
    assert world.journal.head(schedule.process).pinned == STORED + 1


def too_early(schedule: Schedule) -> Batch:
    return Batch(pins=[schedule.pin(), schedule.pin()])


def with_what_it_builds_on(schedule: Schedule) -> Batch:
    first = schedule.pin()
    signed = schedule.sign(first.assignment)
    return Batch(pins=[first, schedule.pin()], signed=[signed])


def on_another_signature(schedule: Schedule) -> Batch:
    schedule.sign(schedule.pins[-1].assignment)
    return Batch(pins=[schedule.pin()])


BAD_SERIAL_PINS = {
    "before the last is signed": (too_early, "not stored"),
    "along with what it builds on": (with_what_it_builds_on, "not stored"),
    "on a signature that was never stored": (on_another_signature, "breaks the chain"),
}


@pytest.mark.guarantee("S3", "S9")
@pytest.mark.parametrize("chain", SERIAL)
@pytest.mark.parametrize(("make", "complaint"), BAD_SERIAL_PINS.values(), ids=BAD_SERIAL_PINS)
def test_a_serial_pin_that_builds_on_air_is_fenced(
    world: World, chain: str, make, complaint: str
) -> None:
    """What is not stored may be signed anew after a crash, so nothing may be linked to it."""
    schedule = serial(world, chain)
    schedule.ids.setdefault(STORED, random_id())
    refused_as_a_whole(world, schedule, make(schedule), complaint)


def serial(world: World, chain: str) -> Schedule:
    schedule = Schedule(chain=chain)
    for _ in range(STORED):
        pin = schedule.pin()
        world.journal.append(Batch(pins=[pin]))
        world.journal.append(Batch(signed=[schedule.sign(pin.assignment)]))
    return schedule


def test_equal_timestamps_and_blocks_follow(world: World) -> None:
    """Time may stand still."""
    schedule = Schedule()
    world.journal.append(schedule.stored(STORED))
    last = schedule.pins[-1].assignment
    world.journal.append(Batch(pins=[schedule.pin(timestamp=last.timestamp, block=last.block)]))
    assert world.journal.head(schedule.process).pinned == STORED


def refused_as_a_whole(world: World, schedule: Schedule, batch: Batch, complaint: str) -> None:
    """Nothing of the batch lands, not even its good part, and the journal is done for."""
    before = world.journal.head(schedule.process)
    bystander = Schedule()
    good = bystander.pin()
    with pytest.raises(Fenced, match=complaint):
        world.journal.append(replace(batch, pins=[good, *batch.pins]))
    for use in (
        lambda: world.journal.append(Batch()),
        lambda: world.journal.head(schedule.process),
        lambda: world.journal.require_space(1),
    ):
        with pytest.raises(Fenced, match=complaint):
            use()
    journal = world.reopen()
    assert journal.head(schedule.process) == before
    assert journal.processes() == [schedule.process]
    journal.append(Batch(pins=[good]))
    assert journal.head(bystander.process).pinned == 0
