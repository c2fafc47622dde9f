"""Stores written in bulk, through the journal's own interface."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from itertools import islice

from bench.items import Forger, Mail
from protocol.assignment import Assignment, Block
from protocol.chain import HashChain
from protocol.codecs.assignment import commit
from protocol.ids import Id, digest_id
from protocol.message import Verified
from protocol.terms import Terms
from protocol.wallet import OWNER_BYTES
from storage import Batch, Body, Journal, Pin, Receipt

BATCH = 2000
"""Slots per transaction: large enough that an fsync costs nothing beside the records."""

FORGED_AT_ONCE = 500
"""Process messages held in memory, of a store that may get a hundred thousand."""

Entry = tuple[Pin, Assignment, Receipt]


def fill(
    journal: Journal, owner: bytes, processes: int, slots: int = 1, author: Forger | None = None
) -> list[Id]:
    """Write processes with `slots` assignments each, signed with random bytes, published.

    The records are those of real schedules in size, order and chain; only that no signature
    in them would verify, which nothing that is measured with such a store looks at.

    Args:
        journal: an empty store.
        owner: public key of the scheduler that the processes name.
        processes: how many.
        slots: assignments of each, the process message's own among them.
        author: of the messages, when it matters which IDs they have.

    Returns:
        The IDs of the processes.
    """
    written: list[Id] = []
    remaining = entries(owner, processes, slots, author)
    while batch := list(islice(remaining, BATCH)):
        pins, signed, receipts = zip(*batch, strict=True)
        journal.append(Batch(pins, signed, receipts))
        written += [pin.assignment.process for pin in pins if pin.terms]
    return written


def entries(
    owner: bytes, processes: int, slots: int = 1, author: Forger | None = None
) -> Iterator[Entry]:
    """Yield what `fill` writes, slot by slot."""
    mail = Mail(author or Forger(), digest_id(owner))
    for start in range(0, processes, FORGED_AT_ONCE):
        for spawn in mail.spawns(min(FORGED_AT_ONCE, processes - start)):
            messages = mail.messages([spawn.process], slots - 1)
            yield from _schedule([spawn, *messages], owner)


def _schedule(messages: Sequence[Verified], owner: bytes) -> Iterator[Entry]:
    link, now = "", time.time_ns() // 1_000_000
    for slot, message in enumerate(messages):
        link = HashChain().next(link, message.message_id)
        assignment = Assignment(message.process, slot, message.message_id, link, now, Block())
        terms = None if slot else Terms((digest_id(owner),))
        signed = assignment.signed([commit(owner, os.urandom(OWNER_BYTES))])
        items = ((message.message_id, "counted"), (signed.id, "counted"))
        receipt = Receipt(message.process, slot, now, items)
        yield Pin(assignment, Body(message.codec, message.encoded), terms), signed, receipt
