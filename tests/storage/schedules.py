"""Schedules to store: assignments that continue their chains, with signatures nobody verifies."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace

from protocol.assignment import Assignment, Block
from protocol.chain import HashChain, chain_rule
from protocol.commitment import ANS104, RSA_SCHEMES, Commitment
from protocol.ids import Id, digest_id
from protocol.terms import Terms
from storage import Batch, Body, Pin, Receipt

OWNER = os.urandom(512)
SIGNER = digest_id(OWNER)


def random_id() -> Id:
    return Id(os.urandom(32))


@dataclass
class Schedule:
    """One process: gives out its next pins, and remembers them."""

    process: Id = field(default_factory=random_id)
    owners: tuple[bytes, ...] = field(default=(OWNER,), repr=False)
    pins: list[Pin] = field(default_factory=list)
    chain: str = HashChain.name
    device: str = ANS104
    # IDs of what was signed last for each slot; serial chain rules link them.
    ids: dict[int, Id] = field(default_factory=dict, repr=False)

    def pin(self, message_id: Id | None = None, *, body: Body | None = None, **changes) -> Pin:
        """Return the pin of the next slot; `changes` replace fields of its assignment."""
        slot = len(self.pins)
        message_id = self.process if slot == 0 else message_id or random_id()
        before = self.pins[-1].assignment.link if slot else ""
        link = chain_rule(self.chain).next(before, message_id, self.ids.get(slot - 1))
        block = Block(100 + slot, 1000 + slot, "b" * 43)
        assignment = Assignment(
            self.process, slot, message_id, link, 5000 + slot, block, chain=self.chain
        )
        signers = tuple(map(digest_id, self.owners))
        terms = Terms(signers, self.chain, self.device) if slot == 0 else None
        body = body or Body("ans104", bytes(message_id) * 20)
        pin = Pin(replace(assignment, **changes), body, terms)
        self.pins.append(pin)
        return pin

    def pinned(self, count: int) -> Batch:
        """A batch that pins the next `count` slots."""
        return Batch(pins=[self.pin() for _ in range(count)])

    def stored(self, count: int) -> Batch:
        """A batch that pins and signs the next `count` slots."""
        pins = [self.pin() for _ in range(count)]
        return Batch(pins=pins, signed=[self.sign(pin.assignment) for pin in pins])

    def published(self, count: int) -> Batch:
        """A batch that pins, signs and publishes the next `count` slots."""
        batch = self.stored(count)
        receipts = [receipt(self.process, pin.assignment.slot) for pin in batch.pins]
        return replace(batch, receipts=receipts)

    def sign(self, assignment: Assignment) -> Assignment:
        """Return the assignment with a random signature of each owner."""
        signed = assignment.signed([commitment(owner, self.device) for owner in self.owners])
        self.ids[assignment.slot] = signed.id
        return signed

    @property
    def messages(self) -> list[Id]:
        return [pin.assignment.message_id for pin in self.pins]


def commitment(owner: bytes = OWNER, device: str = ANS104) -> Commitment:
    signature = os.urandom(512)
    address = digest_id(owner)
    kind = RSA_SCHEMES[device]
    return Commitment(digest_id(signature), address, device, kind, owner, signature)


def receipt(process: Id, slot: int) -> Receipt:
    return Receipt(process, slot, 9000 + slot, ((random_id(), "message"), (random_id(), "slot")))
