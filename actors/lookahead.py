"""Reading a schedule in order: the next slots are fetched before anybody asks for them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol

import pykka

from actors.actor import SchedulerActor
from actors.events import log
from protocol.entry import Entries, Entry
from protocol.errors import Closed, NotFound, SchedulerError, UnexpectedSlot, UntrustedSchedule
from protocol.ids import Id

TIMEOUT_SECONDS = 0.2
"""How long a reader waits for what was fetched ahead, before it fetches for itself."""
SLOTS_AHEAD = 32
"""Slots fetched at once, in one reply of another node."""
MAX_BYTES_AHEAD = 8 << 20
"""Bytes of messages kept of one fetch, beyond its first: a message may be 10 MiB."""
MAX_READERS = 64
"""Schedules read ahead at once; each has a thread. The one not read for longest makes room."""


class Source(Protocol):
    """Where a schedule is read from: this node's store, or another scheduler.

    Equal sources read the same schedules. Called from several threads.
    """

    def entries(self, process: Id, first: int, last: int | None, limit: int) -> Entries:
        """Return slots `first`..`last`, at most `limit`; none when there are none yet."""


@dataclass(frozen=True, slots=True)
class Next:
    """Ask a `LookaheadReader` for one slot; it answers with its `Entry`.

    Attributes:
        slot: which one.
        until: monotonic seconds after which nobody waits for the answer any more.
    """

    slot: int
    until: float = inf


@dataclass(frozen=True, slots=True)
class Prefetch:
    """A `LookaheadReader` tells itself to fetch what follows the slot it just gave."""

    slot: int


class LookaheadReader(SchedulerActor):
    """Read one process in order, some slots ahead of its reader.

    It takes `Next` (asked) and `Prefetch` (told by itself).
    """

    def __init__(self, source: Source, process: Id) -> None:
        super().__init__()
        self._source = source
        self._process = process
        # Owned by this actor's thread: consecutive slots that nobody has asked for yet.
        self._ahead: deque[Entry] = deque()

    def on_receive(self, message: Any) -> Any:
        """Serve one message."""
        if isinstance(message, Next):
            # While a source is slow, questions that were given up would pile up otherwise, and
            # each would cost the source one more.
            return self._next(message.slot) if time.monotonic() < message.until else None
        if isinstance(message, Prefetch):
            return self._prefetch(message.slot)
        return super().on_receive(message)

    def _next(self, slot: int) -> Entry:
        while self._ahead and self._ahead[0].assignment.slot < slot:
            self._ahead.popleft()
        if not self._ahead or self._ahead[0].assignment.slot > slot:
            self._ahead = deque(self._fetch(slot))
        if not self._ahead:
            raise not_yet(self._process, slot)
        entry = self._ahead.popleft()
        if self._runs_low():
            self.actor_ref.tell(Prefetch(slot))
        return entry

    def _runs_low(self) -> bool:
        size = sum(len(entry.message.encoded) for entry in self._ahead)
        return len(self._ahead) <= SLOTS_AHEAD // 2 and size <= MAX_BYTES_AHEAD // 2

    def _prefetch(self, slot: int) -> None:
        # Nobody waits for this: what fails now is tried again when the slot is asked for.
        last = self._ahead[-1].assignment.slot if self._ahead else slot
        try:
            self._ahead.extend(self._fetch(last + 1))
        except SchedulerError as exc:
            log.step("lookahead_failed", process=self._process, slot=last + 1, code=exc.code)
        except Exception:
            log.exception("lookahead_failed", process=self._process, slot=last + 1)

    def _fetch(self, first: int) -> list[Entry]:
        """Return consecutive entries from `first` on, none when there are none yet."""
        found = self._found(first)
        kept: list[Entry] = []
        left = MAX_BYTES_AHEAD
        for slot, entry in enumerate(found, first):
            left -= len(entry.message.encoded)
            if kept and left < 0:
                break
            kept.append(require_slot(entry, self._process, slot))
        return kept

    def _found(self, first: int) -> tuple[Entry, ...]:
        last = first + SLOTS_AHEAD - 1
        try:
            return self._source.entries(self._process, first, last, SLOTS_AHEAD).entries
        except UntrustedSchedule:
            # It may be a slot further on that proves nothing, which nobody has asked for.
            return self._source.entries(self._process, first, first, 1).entries


class Lookahead:
    """Readers of schedules, one actor for each that is being read in order.

    Safe to use from many threads.
    """

    def __init__(self, timeout: float = TIMEOUT_SECONDS, max_readers: int = MAX_READERS) -> None:
        """Take the seconds to wait for what was fetched ahead, and the readers kept at once."""
        self._timeout = timeout
        self._max_readers = max_readers
        self._lock = threading.Lock()
        self._closed = False
        # Guarded by the lock; least recently used first.
        self._readers: OrderedDict[tuple[Source, Id], pykka.ActorRef[LookaheadReader]]
        self._readers = OrderedDict()

    def next(self, source: Source, process: Id, at_slot: int) -> Entry:
        """Return the entry of the slot after `at_slot`; -1 asks for slot 0.

        What was fetched ahead is answered at once. When that takes longer than the time-out
        the slot is read from the source directly, by the caller's own thread.

        Raises:
            NotFound: the schedule does not go on yet, or there is none.
            UnexpectedSlot: the source gave something else than exactly that slot.
            Closed: `close` was called.
            SchedulerError: whatever else the source raises.
        """
        slot = at_slot + 1
        try:
            reader = self._reader(source, process)
            question = Next(slot, time.monotonic() + self._timeout)
            entry: Entry | None = reader.ask(question, block=True, timeout=self._timeout)
        except (pykka.Timeout, pykka.ActorDeadError):
            entry = None
        return entry or read_slot(source, process, slot)

    def close(self) -> None:
        """Stop all readers, without waiting for what they fetch. Idempotent."""
        with self._lock:
            self._closed = True
            readers = list(self._readers.values())
            self._readers.clear()
        for reader in readers:
            reader.stop(block=False)

    def _reader(self, source: Source, process: Id) -> pykka.ActorRef[LookaheadReader]:
        key = source, process
        with self._lock:
            if self._closed:
                raise Closed("no schedule is read any more")
            reader = self._readers.get(key)
            if reader is None or not reader.is_alive():
                reader = self._readers[key] = LookaheadReader.start(source, process)
            self._readers.move_to_end(key)
            while len(self._readers) > self._max_readers:
                self._readers.popitem(last=False)[1].stop(block=False)
            return reader

    def __repr__(self) -> str:
        return f"<Lookahead readers={len(self._readers)}>"


def read_slot(source: Source, process: Id, slot: int) -> Entry:
    """Read one slot, with nothing ahead. Raises as `Lookahead.next` does."""
    found = source.entries(process, slot, slot, 1).entries
    if not found:
        raise not_yet(process, slot)
    return require_slot(found[0], process, slot)


def require_slot(entry: Entry, process: Id, slot: int) -> Entry:
    """Return the entry if it is that very slot of that process.

    Raises:
        UnexpectedSlot: it is another one.
    """
    found = entry.assignment
    if (found.process, found.slot) != (process, slot):
        error = UnexpectedSlot(
            f"slot {slot} of process {process} was asked for,"
            f" slot {found.slot} of process {found.process} came"
        )
        error.expected, error.found = slot, found.slot
        raise error
    return entry


def not_yet(process: Id, slot: int) -> NotFound:
    """The error for a slot that its scheduler has not given yet."""
    return NotFound(f"process {process} has no slot {slot} yet")
