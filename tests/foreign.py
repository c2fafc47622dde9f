"""Schedules as another scheduler gives and sends them, with real signatures."""

from __future__ import annotations

from dataclasses import replace

from protocol.assignment import LEGACY_VARIANT, VARIANT, Assignment, Block
from protocol.chain import chain_rule
from protocol.codecs.assignment import commit, scheme, signature_data
from protocol.commitment import ANS104
from protocol.entry import Entry
from protocol.ids import Id
from protocol.message import Message
from protocol.wallet import Wallet
from tests.items import message_item, process_item

BLOCK = Block(1_500_000, 1_700_000_000, "h" * 43)


def signed(assignment: Assignment, *wallets: Wallet, device: str = ANS104) -> Assignment:
    """Return the assignment signed anew, by these wallets only."""
    commitments = [
        commit(
            wallet.owner,
            wallet.sign(signature_data(assignment, wallet.owner, device), scheme(device)),
            device,
        )
        for wallet in wallets
    ]
    return assignment.signed(commitments)


def schedule(
    user: Wallet,
    scheduler: Wallet,
    slots: int,
    *,
    chain: str = "hash-chain",
    device: str = ANS104,
    variant: str = VARIANT,
    named: str = "",
) -> list[Entry]:
    """Return the first slots of a process of `user`, scheduled by `scheduler`.

    `named` is what the process says of its schedulers, by default that very one.
    """
    spawn = Message.decode(
        process_item(user, scheduler.address, Scheduler=named or str(scheduler.address))
    )
    entries: list[Entry] = []
    for slot in range(slots):
        message = Message.decode(message_item(user, spawn.id, slot)) if slot else spawn
        entries.append(extended(entries, message, scheduler, chain, device, variant))
    return entries


def extended(
    entries: list[Entry],
    message: Message,
    scheduler: Wallet,
    chain: str = "hash-chain",
    device: str = ANS104,
    variant: str = VARIANT,
) -> Entry:
    """Return the entry after the last one: `message`, scheduled by `scheduler`."""
    before = entries[-1].assignment if entries else None
    link = chain_rule(chain).next(
        before.link if before else "", message.id, before.id if before else None
    )
    process = before.process if before else message.id
    slot = before.slot + 1 if before else 0
    block = Block(BLOCK.height) if variant == LEGACY_VARIANT else BLOCK
    unsigned = Assignment(
        process, slot, message.id, link, 5000 + slot, block, chain=chain, variant=variant
    )
    return Entry(signed(unsigned, scheduler, device=device), message)


def forged(entry: Entry, wallet: Wallet, **changes) -> Entry:
    """Return the entry with other fields in its assignment, signed by `wallet`."""
    device = entry.assignment.commitments[0].device
    return replace(
        entry, assignment=signed(replace(entry.assignment, **changes), wallet, device=device)
    )


def process_of(entries: list[Entry]) -> Id:
    """Return the process of a schedule."""
    return entries[0].assignment.process
