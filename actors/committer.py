"""The committer: the one thread that writes, in groups."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from actors.events import log
from actors.flight import Flight
from actors.ledger import Cut, Ledger
from actors.observer import NOBODY, Observer
from actors.probe import Point, Probe
from actors.settings import CommitSettings
from actors.stages import Stage
from actors.ticket import Ticket
from protocol.assignment import Assignment
from protocol.commitment import Commitment
from protocol.errors import CorruptRecord
from storage.journal import Journal, Receipt

GATHER_STEPS = 8
"""Looks at what has come, within the longest wait for company."""

Event = tuple[Any, ...]
"""A function of the committer's thread, and its arguments."""

_BEFORE = (
    Point.BEFORE_PIN_COMMIT,
    Point.BEFORE_COMMITMENT_COMMIT,
    Point.BEFORE_RECEIPT_COMMIT,
)
_AFTER = (
    Point.AFTER_PIN_COMMIT,
    Point.AFTER_COMMITMENT_COMMIT,
    Point.AFTER_RECEIPT_COMMIT,
)


class Committer:
    """Write what the others hand over, and release what is durable.

    `released` is called after each run of releases, so that whoever passes them on to another
    program can do so in one go.

    A plain thread and not an actor: it takes everything that has queued up at once, and an
    actor is shown one message at a time.

    Attributes:
        commits, records: how many transactions, and how many entries in them, so far.
    """

    def __init__(
        self,
        journal: Journal,
        settings: CommitSettings,
        stored: Callable[[Sequence[Flight]], None],
        published: Callable[[Sequence[Receipt]], None],
        fenced: Callable[[BaseException], None],
        probe: Probe,
        observer: Observer = NOBODY,
        released: Callable[[], None] = lambda: None,
    ) -> None:
        self._journal = journal
        self._settings = settings
        self._published = published
        self._fenced = fenced
        self._released = released
        self._probe = probe
        self._inbox: SimpleQueue[Event] = SimpleQueue()
        self._observer = observer
        self._ledger = Ledger(stored, settings.max_awaiting, observer)
        self._running = True
        self._halted = False
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self.commits = 0
        self.records = 0

    @property
    def under_way(self) -> int:
        """How many slots are given and not stored."""
        return self._ledger.under_way

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def pin(self, flight: Flight) -> None:
        """Bind a slot to its message."""
        self._inbox.put((self._ledger.pin, flight))

    def signed(self, flight: Flight, commitments: Sequence[Commitment]) -> None:
        """Store a slot's signatures."""
        self._inbox.put((self._ledger.sign, flight, commitments))

    def receipts(self, receipts: Sequence[Receipt]) -> None:
        """Store what the bundler acknowledged, in slot order per process."""
        self._inbox.put((self._ledger.receipts, receipts))

    def await_receipt(self, assignment: Assignment, ticket: Ticket) -> None:
        """Complete `ticket` when the stored slot's receipt is durable, or already is."""
        self._inbox.put((self._watch, assignment, ticket))

    def halt(self) -> None:
        """Write nothing more, not even what is queued."""
        self._halted = True

    def stop(self) -> None:
        """Write what is queued, then end."""
        self._inbox.put((self._stop,))
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        try:
            while self._running:
                self._take(self._inbox.get())
                self._take_queued()
                self._gather()
                if not self._ledger.idle and not self._halted:
                    self._commit(self._ledger.cut())
                    self._released()
        except BaseException as exc:
            self._fenced(exc)

    def _gather(self) -> None:
        # In a few steps: enough may be there early, and each look wakes this thread up.
        step = self._settings.gather(self._ledger.under_way) / GATHER_STEPS
        for _ in range(GATHER_STEPS if step else 0):
            if self._ledger.worthwhile(self._settings.max_batch):
                return
            time.sleep(step)
            self._take_queued()

    def _take_queued(self) -> None:
        # Events come in the order they were put, so a limit never parts a commitment from
        # a pin that belongs before it.
        with suppress(Empty):
            for _ in range(self._settings.max_batch):
                self._take(self._inbox.get_nowait())
        self._released()

    def _take(self, event: Event) -> None:
        event[0](*event[1:])

    def _commit(self, cut: Cut) -> None:
        self._look(cut, _BEFORE)
        began = time.monotonic()
        # The commit point. A crash before it: none of these slots was exposed, and what was
        # pinned earlier is signed again. A crash after it: all of them stand.
        self._journal.append(cut.batch)
        self._look(cut, _AFTER)
        records = len(cut.pins) + len(cut.signed) + len(cut.receipts)
        self.commits += 1
        self.records += records
        self._observer.committed(records, time.monotonic() - began)
        if log.informs:
            self._report(cut)
        self._ledger.settle(cut)
        if cut.receipts:
            self._published(cut.receipts)

    def _report(self, cut: Cut) -> None:
        for flight in cut.pins:
            flight.report("pinned")
        for receipt in cut.receipts:
            with suppress(CorruptRecord):  # an event is no reason to stop
                assignment = self._journal.assignment(receipt.process, receipt.slot)
                duration_ms = max(0, receipt.timestamp - assignment.timestamp)
                log.slot("published", assignment, stage="published", duration_ms=duration_ms)

    def _look(self, cut: Cut, points: tuple[Point, Point, Point]) -> None:
        for entries, point in zip((cut.pins, cut.signed, cut.receipts), points, strict=True):
            if entries:
                self._probe(point)

    def _watch(self, assignment: Assignment, ticket: Ticket) -> None:
        try:
            published = self._journal.head(assignment.process).published
        except CorruptRecord as exc:
            ticket.fail(exc)
            return
        if published >= assignment.slot:
            ticket.reach(Stage.PUBLISHED, assignment)
        else:
            self._ledger.await_receipt(assignment, ticket)

    def _stop(self) -> None:
        self._running = False
