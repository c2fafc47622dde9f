"""Schedules with real signatures: what a scheduler would have stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.assignment import Assignment, Block
from protocol.chain import chain_rule
from protocol.codecs import ans104
from protocol.codecs.assignment import commit, published_ids, scheme, signature_data
from protocol.codecs.signatures import ED25519
from protocol.commitment import ANS104, HTTPSIG
from protocol.ids import Id, digest_id
from protocol.message import Verified, verify
from protocol.terms import Terms, spawn_terms
from protocol.wallet import Wallet
from storage import Batch, Body, Pin, Receipt
from tests.items import message_item, process_item


@dataclass
class SignedSchedule:
    """One process of `user`, scheduled by `wallet` and perhaps a `second` one."""

    user: Wallet = field(repr=False)
    wallet: Wallet = field(repr=False)
    number: int = 0
    second: Wallet | None = field(default=None, repr=False)
    asked: dict[str, str] = field(default_factory=dict)
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

    @property
    def wallets(self) -> list[Wallet]:
        return [self.wallet] if self.second is None else [self.wallet, self.second]

    def message(self) -> Verified:
        """Return the next message; the first one is the process itself."""
        if not self.pins:
            named = ",".join(str(wallet.address) for wallet in self.wallets)
            keys = {"Scheduler": named, "Number": self.number, **self.asked}
            item = process_item(self.user, self.wallet.address, **keys)
        else:
            item = message_item(self.user, self.process, len(self.pins))
        return verify(item)

    def pin(self, message: Verified | None = None, **changes) -> Pin:
        """Return the pin of the next slot; `changes` replace fields of its assignment."""
        message = message or self.message()
        slot = len(self.pins)
        ours = [wallet.address for wallet in self.wallets]
        terms = self.terms if slot else spawn_terms(message.keys, ours)
        rule, last = chain_rule(terms.chain), self.pins[-1].assignment.link if slot else ""
        before = self.signed[slot - 1].id if rule.serial and slot else None
        assignment = Assignment(
            message.process,
            slot,
            message.message_id,
            rule.next(last, message.message_id, before),
            5000 + slot,
            Block(100 + slot, 1000 + slot, "b" * 43),
            message.path,
            terms.chain,
            terms.variant,
        )
        body = Body(message.codec, message.encoded)
        self.pins.append(Pin(replace(assignment, **changes), body, None if slot else terms))
        return self.pins[-1]

    def sign(self, assignment: Assignment) -> Assignment:
        """Return the assignment signed by the scheduler's wallets."""
        device = self.terms.device if self.pins else ANS104
        return assignment.signed(
            [
                commit(
                    wallet.owner,
                    wallet.sign(signature_data(assignment, wallet.owner, device), scheme(device)),
                    device,
                )
                for wallet in self.wallets
            ]
        )

    def pinned(self, count: int, message: Verified | None = None) -> Batch:
        """A batch that pins the next `count` slots, for one message if that is given."""
        return Batch(pins=[self.pin(message) for _ in range(count)])

    def stored(self, count: int, message: Verified | None = None) -> Batch:
        """A batch that pins and signs the next `count` slots."""
        pins = self.pinned(count, message).pins
        signed = [self.sign(pin.assignment) for pin in pins]
        self.signed += signed
        return Batch(pins=pins, signed=signed)

    def one_by_one(self, count: int) -> Iterator[Batch]:
        """Batches that pin the next `count` slots, and sign and publish each before the next."""
        for _ in range(count):
            yield self.pinned(1)
            self.signed.append(self.sign(self.pins[-1].assignment))
            yield Batch(signed=self.signed[-1:], receipts=[receipt(self.signed[-1])])

    def published(self, count: int, message: Verified | None = None) -> Batch:
        """A batch that pins, signs and publishes the next `count` slots."""
        batch = self.stored(count, message)
        return replace(batch, receipts=[receipt(assignment) for assignment in batch.signed])


def receipt(assignment: Assignment) -> Receipt:
    """Return what an uploader acknowledges for a slot."""
    items = tuple((each, "taken") for each in (assignment.message_id, *published_ids(assignment)))
    inside = [assignment.id] if assignment.commitments[0].device == HTTPSIG else []
    carriers = tuple((each, digest_id(each)) for each in inside)
    timestamp = assignment.timestamp + 1
    return Receipt(assignment.process, assignment.slot, timestamp, items, carriers)


def signed_by_ed25519(process: Id) -> bytes:
    """Return a message for `process` by a new Ed25519 wallet."""
    key = Ed25519PrivateKey.generate()
    blank = ans104.unsigned([(b"Type", b"Message")], target=process)
    owner = key.public_key().public_bytes_raw()
    item = replace(blank, signature_type=ED25519, owner=owner)
    return replace(item, signature=key.sign(item.signature_data())).encode()
