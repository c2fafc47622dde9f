"""Reading schedules: what every scheduler answers from its store, writing or not."""

from __future__ import annotations

from functools import lru_cache
from operator import index

from protocol.assignment import Assignment
from protocol.entry import Entries, Entry
from protocol.errors import InvalidId, NotFound
from protocol.ids import Id
from protocol.message import Message
from protocol.terms import Terms
from storage import ShardedReader
from storage.journal import PAGE_LIMIT, Head, Page, Reader, Receipt, Totals, read_all

MAX_ENTRIES_BYTES = 32 << 20
"""Bytes of messages in one answer: a thousand messages of 10 MiB would fill the memory."""

MAX_REMEMBERED = 10_000
"""Processes whose terms are kept in memory."""


class Schedules:
    """Read what a store holds. Safe to use from many threads.

    Only stored slots exist here: what is given and not stored yet is nobody's to see.
    Whatever takes an ID raises `InvalidId` for what is none, and `TypeError` for a slot that
    is no whole number.
    """

    def __init__(self, reader: Reader) -> None:
        """Take the store, held for reading or for writing."""
        self._reader = reader
        # What slot 0 fixed never changes, and is asked for several times per request.
        self._fixed = lru_cache(MAX_REMEMBERED)(self._read_terms)

    @property
    def store(self) -> Reader:
        """The store itself; a `Journal` when this scheduler writes to it."""
        return self._reader

    def has(self, process: Id | str) -> bool:
        """Tell whether the process has a stored slot here."""
        try:
            self._fixed(as_id(process))
        except NotFound:
            return False
        return True

    def slot(self, process: Id | str) -> int:
        """Return the highest stored slot.

        Raises:
            NotFound: the process has no stored slot here.
        """
        return self._head(as_id(process)).stored

    def terms(self, process: Id | str) -> Terms:
        """Return what the process fixed at slot 0: signers, chain rule, device, variant.

        Raises:
            NotFound: the process has no stored slot here.
        """
        return self._fixed(as_id(process))

    def assignment(self, process: Id | str, slot: int) -> Assignment:
        """Return the stored assignment of one slot.

        Raises:
            NotFound: there is none.
            CorruptRecord: what is stored does not match its digest.
        """
        return self._reader.assignment(as_id(process), index(slot))

    def latest(self, process: Id | str) -> Assignment:
        """Return the assignment of the highest stored slot. Raises as `assignment` does."""
        return self._reader.latest(as_id(process))

    def page(self, process: Id | str, from_slot: int = 0, to_slot: int | None = None) -> Page:
        """Return stored assignments of slots `from_slot` to `to_slot`, both included.

        Returns:
            At most 1000 assignments; `more` tells whether the range goes on.

        Raises:
            NotFound: no such process.
        """
        last = None if to_slot is None else index(to_slot)
        return self._reader.page(as_id(process), index(from_slot), last)

    def entry(self, process: Id | str, slot: int) -> Entry:
        """Return one stored slot with its message. Raises as `assignment` does."""
        assignment = self.assignment(process, slot)
        return Entry(assignment, _message(self._holder(assignment.process), assignment.message_id))

    def entries(
        self, process: Id | str, first: int = 0, last: int | None = None, limit: int = PAGE_LIMIT
    ) -> Entries:
        """Return stored slots `first` to `last`, both included, with their messages.

        Returns:
            At most `limit` slots, at most 1000, and no more once their messages are 32 MiB;
            `more` tells whether the range goes on. Empty when nothing in it is stored.

        Raises:
            NotFound: no such process.
            CorruptRecord: what is stored does not match its digest.
        """
        final = None if last is None else index(last)
        holder = self._holder(as_id(process))
        page = holder.page(as_id(process), index(first), final, index(limit))
        entries: list[Entry] = []
        size = 0
        for assignment in page.assignments:
            if size >= MAX_ENTRIES_BYTES:
                break
            message = _message(holder, assignment.message_id)
            entries.append(Entry(assignment, message))
            size += len(message.encoded)
        return Entries(tuple(entries), page.more or len(entries) < len(page.assignments))

    def message(self, message_id: Id | str) -> Message:
        """Return a message that some slot of this store holds.

        Raises:
            NotFound: none does.
        """
        return _message(self._reader, as_id(message_id))

    def message_slot(self, process: Id | str, message_id: Id | str) -> int | None:
        """Return the first stored slot of the process that holds a message, or None."""
        process_id = as_id(process)
        slot = self._reader.slot_of(process_id, as_id(message_id))
        stored = slot is not None and slot <= self._reader.head(process_id).stored
        return slot if stored else None

    def receipt(self, process: Id | str, slot: int) -> Receipt | None:
        """Return what the bundler acknowledged for a stored slot, or None while it did not.

        Raises:
            NotFound: there is no such slot.
        """
        return self._reader.receipt(as_id(process), index(slot))

    def totals(self) -> Totals:
        """Return how many slots are pinned, stored and published, over all processes.

        Costs one read, however large the store is.
        """
        return self._reader.totals()

    def processes(self) -> list[Id]:
        """Return the IDs of all processes in the store, in key order."""
        return list(read_all(self._reader))

    def _holder(self, process: Id) -> Reader:
        # What holds the process, and each message in the form that it was given a slot in.
        reader = self._reader
        return reader.reader_of(process) if isinstance(reader, ShardedReader) else reader

    def _read_terms(self, process: Id) -> Terms:
        return self._head(process).terms

    def _head(self, process: Id) -> Head:
        head = self._reader.head(process)
        if head.stored < 0:
            raise NotFound(f"process {process} has no stored slot yet")
        return head


def _message(reader: Reader, message_id: Id) -> Message:
    body = reader.body(message_id)
    return Message.decode(body.encoded, body.codec)


def as_id(value: Id | str) -> Id:
    """Return the ID that `value` is, or is the text of.

    Raises:
        InvalidId: it is neither.
    """
    if isinstance(value, Id):
        return value
    if isinstance(value, str):
        return Id.parse(value)
    raise InvalidId(f"an ID is an Id or its text, not {type(value).__name__}")
