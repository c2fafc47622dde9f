"""What a store promises: the values it keeps and the interfaces to write and read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from protocol.assignment import Assignment, Block
from protocol.ids import Id
from protocol.terms import Terms

PAGE_LIMIT = 1000
"""Assignments in one page: more would hold a read transaction open for too long."""


ITEM_CODEC = "ans104"
"""The codec of messages that are data items, and are published as they stand."""


class Body(NamedTuple):
    """The bytes of a message, as its codec gave them.

    Attributes:
        codec: name of the codec, such as ``ans104``.
        encoded: the message in that codec.
    """

    codec: str
    encoded: bytes


class Head(NamedTuple):
    """Where a process stands. Slots are -1 when there is none yet.

    Attributes:
        process: ID of the process, which is also the message ID of its slot 0.
        terms: what slot 0 fixed.
        pinned: highest slot durably bound to a message.
        stored: highest slot whose signed assignment is durable; 0..stored are served.
        published: highest slot such that it and all before have a receipt.
        link: link of the pinned slot.
        timestamp: milliseconds, of the pinned slot.
        block: the Arweave block of the pinned slot.
    """

    process: Id
    terms: Terms
    pinned: int
    stored: int
    published: int
    link: str
    timestamp: int
    block: Block


class Pin(NamedTuple):
    """Bind a slot to a message. The first pin of a process carries its terms.

    Attributes:
        assignment: unsigned.
        body: the message's bytes; a large one must have been handed to `keep_body` before.
        terms: at slot 0 only, else None.
    """

    assignment: Assignment
    body: Body
    terms: Terms | None = None


class Receipt(NamedTuple):
    """What the bundler acknowledged for one slot.

    Attributes:
        process, slot: which assignment.
        timestamp: milliseconds, when the acknowledgement arrived.
        items: (ID, acknowledgement text) of the message, then of each assignment item.
        carriers: (ID, ID of the data item that carries it) of those that are no items
            themselves.
    """

    process: Id
    slot: int
    timestamp: int
    items: tuple[tuple[Id, str], ...]
    carriers: tuple[tuple[Id, Id], ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """What a process still has to do; absent when all is signed and published.

    Attributes:
        process: ID of the process.
        unsigned: first pinned slot without a commitment, or None.
        unpublished: first stored slot without a receipt, or None.
    """

    process: Id
    unsigned: int | None
    unpublished: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Writes that become durable together, applied in this order.

    Attributes:
        pins: in slot order per process.
        signed: assignments with their commitments, in slot order per process.
        receipts: in slot order per process.
    """

    pins: Sequence[Pin] = ()
    signed: Sequence[Assignment] = ()
    receipts: Sequence[Receipt] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A run of stored assignments; `more` tells whether the range goes on after it."""

    assignments: tuple[Assignment, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """How many slots a store holds, over all processes.

    Attributes:
        pinned: given to a message.
        stored: of those, signed.
        published: of those, with a receipt.
    """

    pinned: int
    stored: int
    published: int


class Reader(Protocol):
    """Read a store. Every method is one short read transaction.

    What is signed is served from the stored prefix only: a pinned slot without its
    commitment does not exist for readers.

    Raises (all methods):
        NotFound: no such process, slot or message.
        CorruptRecord: a record does not match its digest; carries process and slot.
    """

    def head(self, process: Id) -> Head:
        """Return where `process` stands."""

    def latest(self, process: Id) -> Assignment:
        """Return the assignment of the highest stored slot."""

    def assignment(self, process: Id, slot: int) -> Assignment:
        """Return the stored assignment of one slot."""

    def page(self, process: Id, first: int, last: int | None, limit: int = PAGE_LIMIT) -> Page:
        """Return stored assignments `first`..`last` (inclusive), at most `limit`."""

    def body(self, message_id: Id) -> Body:
        """Return a message's bytes."""

    def slot_of(self, process: Id, message_id: Id) -> int | None:
        """Return the first slot, pinned or stored, that holds the message, or None."""

    def receipt(self, process: Id, slot: int) -> Receipt | None:
        """Return what the bundler acknowledged for a stored slot, or None while it did not.

        Raises:
            NotFound: there is no such slot.
        """

    def processes(self, after: Id | None = None, limit: int = PAGE_LIMIT) -> list[Id]:
        """Return process IDs in key order, from the first one above `after`."""

    def process_count(self) -> int:
        """Return how many processes the store holds, without scanning them."""

    def totals(self) -> Totals:
        """Return how many slots the store holds, without scanning them."""

    def pinned(self, process: Id, first: int, last: int) -> list[Assignment]:
        """Return the pinned slots `first`..`last`, unsigned. For recovery."""

    def work(self, after: Id | None = None, limit: int = PAGE_LIMIT) -> list[Work]:
        """Return unfinished work in key order, from the first process above `after`."""

    def close(self) -> None:
        """Give the store up; a writer leaves the clean-stop mark. Idempotent."""


class Journal(Reader, Protocol):
    """A store held for writing by one program.

    `append` is called from one thread only; reads may come from any thread.
    """

    def append(self, batch: Batch) -> None:
        """Make the whole batch durable, or raise and leave none of it visible.

        On return the batch survives power loss. Each pin must be the slot after the
        process's head, continue its chain and not go back in time; each signed assignment
        must be the one after `stored`, and pinned; each receipt the one after `published`,
        and stored.

        Raises:
            Fenced: the outcome is unknown, the store changed hands, or an entry did not
                continue its head; only reopening the store can tell.
        """

    def is_large(self, size: int) -> bool:
        """Tell whether a body of `size` bytes is kept apart, by `keep_body` before its pin."""

    def keep_body(self, message_id: Id, body: Body) -> None:
        """Make a large body durable before its pin; a no-op for a small one. Any thread.

        Raises:
            StoreFull: there is no room.
        """

    def same_body(self, message_id: Id, body: Body) -> bool:
        """Tell whether the message ID is free or already holds exactly these bytes."""

    def place(self, process: Id, message_id: Id, body: Body) -> int | None:
        """Return the first slot that holds the message, as `slot_of`, or None if it may get one.

        Raises:
            IdCollision: it may not: the message ID already holds other bytes.
        """

    def maintain(self) -> int:
        """Forget readers that died and would keep old pages alive; return how many."""

    def require_space(self, size: int) -> None:
        """Check that `size` more bytes leave the reserve untouched. Cheap enough per message.

        Raises:
            StoreFull: they do not.
            NeedsAdoption: the store may not be written on this machine.
        """


def all_work(reader: Reader) -> Iterator[Work]:
    """Yield all unfinished work, a page at a time, no transaction held in between."""
    page = reader.work()
    while page:
        yield from page
        page = reader.work(page[-1].process)


def read_all(reader: Reader) -> Iterator[Id]:
    """Yield every process ID, a page at a time, no transaction held in between."""
    after: Id | None = None
    while batch := reader.processes(after):
        yield from batch
        after = batch[-1]
