"""The publisher: uploads what is stored, in the background, until all of it has receipts."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from actors.events import log
from actors.flight import Flight
from actors.outbox import Outbox, Slot
from actors.settings import PublishSettings
from actors.shipping import Shipped, Shipper
from protocol.errors import CorruptRecord, UploadFailed, UploadRefused
from protocol.ids import Id
from storage.journal import Reader, Receipt

Event = tuple[Any, ...]


class Publisher:
    """Upload stored slots, message first, and hand their receipts to the committer.

    It never holds up scheduling: it is told of stored slots, reads them from the store,
    and takes as long as the bundler does. What it does not hold in memory waits in the
    store's list of unfinished work, and so does everything after a restart.
    """

    def __init__(
        self,
        journal: Reader,
        shipper: Shipper,
        settings: PublishSettings,
        receipts: Callable[[Sequence[Receipt]], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._journal = journal
        self._shipper = shipper
        self._settings = settings
        self._receipts = receipts
        self._failed = failed
        self._inbox: SimpleQueue[Event] = SimpleQueue()
        self._jobs: SimpleQueue[list[Slot] | None] = SimpleQueue()
        # Owned by the publisher's thread, like everything below.
        self._outbox = Outbox(settings, _jitter)
        self._busy = 0
        # Monotonic seconds before which no upload is begun beside those under way.
        self._not_before = 0.0
        self._running = True
        # Where to go on reading unfinished work; None when memory holds all of it.
        self._unread: Id | None = None
        self._all_read = False
        self._threads = [threading.Thread(target=self._run, name="publisher", daemon=True)] + [
            threading.Thread(target=self._work, name=f"uploader-{n}", daemon=True)
            for n in range(settings.workers)
        ]

    def start(self) -> None:
        """Go on with whatever the store says is unpublished."""
        self._inbox.put((self._wake,))
        for thread in self._threads:
            thread.start()

    def stored(self, flights: Sequence[Flight]) -> None:
        """Learn which slots are stored. Called in slot order per process; never blocks."""
        for flight in flights:
            self._shipper.remember(flight)
        self._inbox.put((self._on_stored, {flight.process: flight.slot for flight in flights}))

    def settled(self, receipts: Sequence[Receipt]) -> None:
        """Learn that receipts are durable."""
        self._inbox.put((self._on_settled, receipts))

    def stop(self) -> None:
        """End after the uploads under way; what is not published goes on at the next start."""
        self._inbox.put((self._on_stop,))
        for _ in range(self._settings.workers):
            self._jobs.put(None)

    @property
    def lanes(self) -> int:
        """How many processes with unpublished slots are held in memory."""
        return len(self._outbox)

    def stuck(self) -> dict[Id, tuple[int, str]]:
        """For each process with an item that the bundler refuses: the slot and the reason."""
        return self._outbox.stuck()

    def backfill(self, process: Id, first: int, last: int) -> int:
        """Upload slots again that are published already; return how many.

        Receipts stay as they are: the promise they record was kept once.

        Raises:
            UploadFailed, UploadRefused: at the first slot that the bundler does not take.
        """
        for start in range(first, last + 1, self._settings.chunk):
            end = min(last, start + self._settings.chunk - 1)
            for shipped in self._shipper.ship([(process, slot) for slot in range(start, end + 1)]):
                if not isinstance(shipped.outcome, Receipt):
                    raise shipped.outcome
        return max(0, last + 1 - first)

    def _run(self) -> None:
        try:
            while self._running:
                self._take()
                self._refill()
                self._dispatch()
        except BaseException as exc:
            self._failed(exc)

    def _take(self) -> None:
        try:
            event = self._inbox.get(timeout=self._patience())
            while True:
                event[0](*event[1:])
                event = self._inbox.get_nowait()
        except Empty:
            return

    def _patience(self) -> float | None:
        if self._busy == self._settings.workers:
            return None
        now, moments = time.monotonic(), [self._outbox.next_try()]
        if self._busy and now < self._not_before:
            moments.append(self._not_before)
        waits = [moment - now for moment in moments if moment is not None]
        return max(0.001, min(waits)) if waits else None

    def _dispatch(self) -> None:
        while self._busy < self._settings.workers:
            now = time.monotonic()
            if self._busy and now < self._not_before:
                return
            slots = self._outbox.take(now, self._settings.chunk)
            if not slots:
                return
            self._busy += 1
            # A full chunk has all the company it can have.
            self._not_before = now + self._settings.gather_seconds * (
                len(slots) < self._settings.chunk
            )
            self._jobs.put(slots)

    def _refill(self) -> None:
        # Read on only once there is room again, so that memory stays bounded while the
        # bundler is down for longer than memory lasts.
        while not self._all_read and len(self._outbox) <= self._settings.max_lanes // 2:
            page = self._journal.work(self._unread)
            for work in page:
                self._open(work.process)
            self._unread = page[-1].process if page else None
            self._all_read = not page

    def _open(self, process: Id) -> None:
        if process in self._outbox:
            return
        try:
            head = self._journal.head(process)
        except CorruptRecord as exc:
            # An operator has to look at this process; the others are published.
            log.warning("process_unfit", process=process, code=exc.code, reason=exc.detail)
            return
        if head.published < head.stored:
            self._outbox.open(process, head.published + 1, head.stored)

    def _wake(self) -> None:
        """Nothing to learn: the loop looks around after every event."""

    def _on_stored(self, last: Mapping[Id, int]) -> None:
        for process, slot in last.items():
            if process in self._outbox:
                self._outbox.extend(process, slot)
            elif self._outbox.full:
                # It is in the store's list of work: read that again from the start, later.
                self._unread, self._all_read = None, False
            else:
                self._open(process)

    def _on_settled(self, receipts: Sequence[Receipt]) -> None:
        for process, slot in {receipt.process: receipt.slot for receipt in receipts}.items():
            self._outbox.settled(process, slot)

    def _on_stop(self) -> None:
        self._running = False

    def _on_shipped(self, results: Sequence[Shipped]) -> None:
        self._busy -= 1
        now = time.monotonic()
        ready: list[Receipt] = []
        for shipped in results:
            outcome = shipped.outcome
            if isinstance(outcome, Receipt):
                ready += self._outbox.acknowledged(outcome)
            else:
                self._on_failed(shipped.slot, outcome, now)
        if ready:
            self._receipts(ready)

    def _on_failed(self, slot: Slot, error: UploadFailed | UploadRefused, now: float) -> None:
        final = isinstance(error, UploadRefused)
        wait = self._outbox.failed(slot, now, reason=error.detail, final=final)
        log.warning(
            "upload_stuck" if final else "upload_failed",
            process=slot[0],
            slot=slot[1],
            reason=error.detail,
            retry_seconds=round(wait, 1),
        )

    def _work(self) -> None:
        while (slots := self._jobs.get()) is not None:
            try:
                results = self._shipper.ship(slots)
            except BaseException as exc:
                self._failed(exc)
                return
            self._inbox.put((self._on_shipped, results))


def _jitter() -> float:
    # Spreads the retries of many schedulers after an outage, and shortens none; nothing secret.
    return random.uniform(1.0, 1.5)  # noqa: S311
