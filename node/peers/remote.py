"""Schedules of other schedulers: fetched, verified, kept, and only then passed on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import BoundedSemaphore

from actors.lookahead import require_slot
from node.peers.asking import Asking
from node.peers.client import Client
from node.peers.finding import Elsewhere
from protocol.entry import Entries, Entry
from protocol.errors import UntrustedSchedule
from protocol.ids import Id
from protocol.message import Verified
from protocol.schedule_check import check, check_link, check_opening
from storage.foreign import ForeignTable
from storage.journal import PAGE_LIMIT

MAX_UNWRITTEN = 4
"""Fetched pages that wait for the cache; past it they are not kept, and fetched again one day."""


class RemoteSchedules:
    """Read, and post to, the schedules of other nodes. Safe to use from many threads.

    Everything returned is verified by `protocol.schedule_check`, back to slot 0 or to the
    first slot of the run that was fetched or kept: a reader who begins in the middle has that
    run's beginning from its scheduler's signature alone.
    """

    def __init__(self, client: Client, foreign: ForeignTable, *, async_cache: bool = True) -> None:
        """Take what to ask with and where to keep what was verified.

        Args:
            client: keeps to the rules for strangers' URLs.
            foreign: the cache.
            async_cache: answer before what was fetched is durable in the cache.
        """
        self._asking = Asking(client)
        self._foreign = foreign
        self._writer = ThreadPoolExecutor(1, "foreign-cache") if async_cache else None
        self._unwritten = BoundedSemaphore(MAX_UNWRITTEN)

    def slot(self, elsewhere: Elsewhere, process: Id) -> int:
        """Return the highest slot that the scheduler says it gave.

        Raises:
            NotFound: it does not know the process.
            PeerFailed, PeerRefused: it cannot be asked.
            UntrustedSchedule: its answer makes no sense.
        """
        return self._asking.slot(elsewhere, process)

    def entries(
        self,
        elsewhere: Elsewhere,
        process: Id,
        first: int = 0,
        last: int | None = None,
        limit: int = PAGE_LIMIT,
    ) -> Entries:
        """Return verified slots `first` to `last`, both included, at most `limit`.

        What is kept here is not asked for again.

        Raises:
            NotFound: the scheduler does not know the process.
            PeerFailed, PeerRefused: it cannot be asked.
            UntrustedSchedule: what it sent does not prove itself; nothing of it is kept.
            UnexpectedSlot: it sent another slot first than the one asked for.
        """
        first = max(first, 0)
        end = first + min(limit, PAGE_LIMIT) - 1
        end = end if last is None else min(end, last)
        beyond = last is None or last > end
        if end < first:
            return Entries((), more=False)
        kept = self._foreign.entries(process, first, end - first + 1)
        rest = first + len(kept)
        if rest > end:
            return Entries(kept, beyond and self._goes_on(elsewhere, process, end))
        # One slot more than asked for tells whether the range goes on.
        fetched = self._fetch(elsewhere, process, rest, end + beyond, kept[-1] if kept else None)
        wanted = fetched.entries[: end - rest + 1]
        return Entries((*kept, *wanted), fetched.more or len(wanted) < len(fetched.entries))

    def schedule(self, elsewhere: Elsewhere, message: Verified) -> Entry:
        """Post a message to the scheduler; return the slot that it gave, verified.

        Raises:
            InvalidInput: the scheduler refuses the message.
            OutcomeUnknown: it gave no answer; ask again with the same message.
            PeerFailed, PeerRefused, UntrustedSchedule, NotFound: the message may have a slot,
                which cannot be read or does not prove itself.
        """
        slot = self._asking.schedule(elsewhere, message).slot
        for entry in self.entries(elsewhere, message.process, slot, slot, 1).entries:
            if entry.assignment.message_id == message.message_id:
                return entry
        raise UntrustedSchedule(f"slot {slot} of {message.process} does not hold the message")

    def source(self, elsewhere: Elsewhere) -> RemoteSource:
        """Return the schedules of one scheduler, as `actors.lookahead.Lookahead` reads them."""
        return RemoteSource(self, elsewhere)

    def close(self) -> None:
        """Finish writing what was verified. Idempotent."""
        if self._writer is not None:
            self._writer.shutdown()

    def _goes_on(self, elsewhere: Elsewhere, process: Id, slot: int) -> bool:
        known = self._foreign.entry(process, slot + 1) is not None
        return known or self._asking.slot(elsewhere, process) > slot

    def _fetch(
        self, elsewhere: Elsewhere, process: Id, first: int, last: int, before: Entry | None
    ) -> Entries:
        """Fetch and verify slots `first`..`last`, or the first of them; keep them."""
        if before is None and first > 0:
            before = self._foreign.entry(process, first - 1)
        # Without a verified slot before it, the run begins with one that is only signed.
        begin = first if before is not None or first == 0 else first - 1
        page = self._asking.page(elsewhere, process, begin, last)
        entries = page.entries[: last - begin + 1]
        if entries:
            self._verify(elsewhere, process, begin, entries, before)
            self._keep(entries)
        return Entries(entries[first - begin :], page.more or len(entries) < len(page.entries))

    def _verify(
        self,
        elsewhere: Elsewhere,
        process: Id,
        begin: int,
        entries: tuple[Entry, ...],
        before: Entry | None,
    ) -> None:
        require_slot(entries[0], process, begin)
        opening = self._opening(elsewhere, process, entries[0])
        check(process, entries, before, opening.message.keys)
        # What is kept behind the run must follow from it: one history, not two.
        behind = self._foreign.entry(process, begin + len(entries))
        if behind is not None:
            check_link(behind, entries[-1])

    def _opening(self, elsewhere: Elsewhere, process: Id, entry: Entry) -> Entry:
        """Return the verified slot 0, which says who may sign all others."""
        opening = self._foreign.entry(process, 0)
        if opening is not None:
            return opening
        if entry.assignment.slot != 0:
            page = self._asking.page(elsewhere, process, 0, 0)
            if not page.entries:
                raise UntrustedSchedule(f"slot 0 of {process} cannot be had")
            entry = page.entries[0]
        check_opening(process, entry)
        self._keep((entry,))
        return entry

    def _keep(self, entries: tuple[Entry, ...]) -> None:
        if self._writer is None:
            self._foreign.keep(entries)
        elif self._unwritten.acquire(blocking=False):
            try:
                self._writer.submit(self._write, entries)
            except RuntimeError:  # closed meanwhile: whoever still waits gets his answer
                self._unwritten.release()

    def _write(self, entries: tuple[Entry, ...]) -> None:
        try:
            self._foreign.keep(entries)
        finally:
            self._unwritten.release()


@dataclass(frozen=True)
class RemoteSource:
    """The schedules of one other scheduler; an `actors.lookahead.Source`."""

    remote: RemoteSchedules
    elsewhere: Elsewhere

    def entries(self, process: Id, first: int, last: int | None, limit: int) -> Entries:
        """Return verified slots. See `RemoteSchedules.entries`."""
        return self.remote.entries(self.elsewhere, process, first, last, limit)
