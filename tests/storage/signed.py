"""Schedules with real signatures: what a scheduler would have stored."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from protocol.assignment import Assignment, Block
from protocol.chain import HashChain
from protocol.codecs.assignment import commit, signature_data
from protocol.ids import Id
from protocol.message import Verified, verify
from protocol.terms import Terms, spawn_terms
from protocol.wallet import Wallet
from storage import Batch, Body, Pin, Receipt
from tests.items import message_item, process_item


@dataclass
class SignedSchedule:
    """One process of `user`, scheduled by `wallet`: gives out what comes next."""

    user: Wallet = field(repr=False)
    wallet: Wallet = field(repr=False)
    number: int = 0
    pins: list[Pin] = field(default_factory=list, repr=False)
    signed: list[Assignment] = field(default_factory=list, repr=False)

    @property
    def process(self) -> Id:
        return self.pins[0].assignment.process

    @property
    def terms(self) -> Terms:
        terms = self.pins[0].terms
        assert terms is not None
        return terms

    def message(self) -> Verified:
        """Return the next message; the first one is the process itself."""
        if not self.pins:
            item = process_item(self.user, self.wallet.address, Number=self.number)
        else:
            item = message_item(self.user, self.process, len(self.pins))
        return verify(item)

    def pin(self, message: Verified | None = None, **changes) -> Pin:
        """Return the pin of the next slot; `changes` replace fields of its assignment."""
        message = message or self.message()
        slot = len(self.pins)
        link = HashChain().next(self.pins[-1].assignment.link if slot else "", message.message_id)
        assignment = Assignment(
            message.process,
            slot,
            message.message_id,
            link,
            5000 + slot,
            Block(100 + slot, 1000 + slot, "b" * 43),
            message.path,
        )
        terms = None if slot else spawn_terms(message.keys, {self.wallet.address})
        body = Body(message.codec, message.encoded)
        self.pins.append(Pin(replace(assignment, **changes), body, terms))
        return self.pins[-1]

    def sign(self, assignment: Assignment) -> Assignment:
        """Return the assignment signed by the scheduler's wallet."""
        owner = self.wallet.owner
        signature = self.wallet.sign(signature_data(assignment, owner))
        return assignment.signed([commit(owner, signature)])

    def pinned(self, count: int) -> Batch:
        """A batch that pins the next `count` slots."""
        return Batch(pins=[self.pin() for _ in range(count)])

    def stored(self, count: int) -> Batch:
        """A batch that pins and signs the next `count` slots."""
        pins = [self.pin() for _ in range(count)]
        signed = [self.sign(pin.assignment) for pin in pins]
        self.signed += signed
        return Batch(pins=pins, signed=signed)

    def published(self, count: int) -> Batch:
        """A batch that pins, signs and publishes the next `count` slots."""
        batch = self.stored(count)
        return replace(batch, receipts=[receipt(assignment) for assignment in batch.signed])


def receipt(assignment: Assignment) -> Receipt:
    """Return what an uploader acknowledges for a slot."""
    items = [assignment.message_id, *(commitment.id for commitment in assignment.commitments)]
    timestamp = assignment.timestamp + 1
    return Receipt(
        assignment.process, assignment.slot, timestamp, tuple((item, "taken") for item in items)
    )
