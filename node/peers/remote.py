"""Schedules of other schedulers: fetched, verified, kept, and only then passed on."""

from __future__ import annotations

from dataclasses import dataclass

from node.peers.client import Client
from node.peers.finding import Elsewhere
from protocol.entry import Entries, Entry
from protocol.ids import Id
from protocol.message import Verified
from storage.foreign import ForeignTable
from storage.journal import PAGE_LIMIT


class RemoteSchedules:
    """Read, and post to, the schedules of other nodes. Safe to use from many threads."""

    def __init__(self, client: Client, foreign: ForeignTable, *, async_cache: bool = True) -> None:
        """Take what to ask with and where to keep what was verified.

        Args:
            client: keeps to the rules for strangers' URLs.
            foreign: the cache.
            async_cache: answer before what was fetched is durable in the cache.
        """
        self._client = client
        self._foreign = foreign
        self._async_cache = async_cache

    def slot(self, elsewhere: Elsewhere, process: Id) -> int:
        """Return the highest slot that the scheduler says it gave.

        Raises:
            NotFound: it does not know the process.
            PeerFailed, PeerRefused: it cannot be asked.
            UntrustedSchedule: its answer makes no sense.
        """
        raise NotImplementedError

    def entries(
        self,
        elsewhere: Elsewhere,
        process: Id,
        first: int = 0,
        last: int | None = None,
        limit: int = PAGE_LIMIT,
    ) -> Entries:
        """Return verified slots `first` to `last`, both included, at most `limit`.

        Raises:
            NotFound: the scheduler does not know the process.
            PeerFailed, PeerRefused: it cannot be asked.
            UntrustedSchedule: what it sent does not prove itself.
        """
        raise NotImplementedError

    def schedule(self, elsewhere: Elsewhere, message: Verified) -> Entry:
        """Post a message to the scheduler; return the slot that it gave, verified.

        Raises:
            NotFound: the scheduler does not know the process.
            PeerFailed, PeerRefused: it cannot be asked, or refuses the message.
            UntrustedSchedule: what it answered does not prove itself.
        """
        raise NotImplementedError

    def source(self, elsewhere: Elsewhere) -> RemoteSource:
        """Return the schedules of one scheduler, as `Lookahead` reads them."""
        return RemoteSource(self, elsewhere)

    def close(self) -> None:
        """Finish writing what was verified. Idempotent."""


@dataclass(frozen=True)
class RemoteSource:
    """The schedules of one other scheduler; an `actors.lookahead.Source`."""

    remote: RemoteSchedules
    elsewhere: Elsewhere

    def entries(self, process: Id, first: int, last: int | None, limit: int) -> Entries:
        """Return verified slots. See `RemoteSchedules.entries`."""
        return self.remote.entries(self.elsewhere, process, first, last, limit)
