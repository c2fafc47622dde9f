"""One shard: a store held for writing, and the actors and threads around it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pykka

from actors.admission import Admission
from actors.announcer import Announcer
from actors.blocks import BlockClock, OfflineBlockClock
from actors.clerk import Clerk
from actors.clock import Clock, TimeKeeper, system_clock
from actors.committer import Committer
from actors.deadlines import DeadlineTimer
from actors.directory import Directory
from actors.events import log
from actors.flight import Flight
from actors.futures import StageFuture
from actors.load import Load
from actors.messages import Resume, Submit
from actors.observer import NOBODY, Observer
from actors.probe import Probe, no_probe
from actors.process import Desk
from actors.publisher import Publisher
from actors.registry import SchedulerRegistry
from actors.sequencer import Surroundings
from actors.settings import Settings
from actors.shipping import Shipper
from actors.signing import Signer, SigningPool, WalletSigner
from actors.stages import Duplicates
from actors.status import ShardState, ShardStatus
from actors.ticket import Ticket
from actors.upkeep import Upkeep
from actors.uploader import Uploader
from actors.wrapping import Wrapper
from protocol.assignment import Assignment
from protocol.errors import Closed, NeedsAdoption, Refused, SchedulerError, StoreFull
from protocol.ids import Id
from protocol.message import Verified
from protocol.terms import DEFAULTS, Defaults
from protocol.wallet import Wallet
from storage.forks import give_up_in_children
from storage.journal import Journal, Receipt, all_work


@dataclass(frozen=True)
class ShardOptions:
    """What a shard is given from outside; every value can be sent to a spawned program.

    Attributes:
        wallets: the keys it may sign with.
        uploader: where items are published.
        clock: milliseconds since 1970.
        block_clock: the newest Arweave block.
        signer: makes signatures with a wallet.
        duplicates: what a message that comes again gets.
        defaults: what a process gets that asks for nothing else.
        max_live_processes: actors kept alive at once.
        probe: called at the named points of a message's way.
        observer: told what happens, for metrics.
        settings: all other numbers.
    """

    wallets: tuple[Wallet, ...]
    uploader: Uploader
    clock: Clock = system_clock
    block_clock: BlockClock = field(default_factory=OfflineBlockClock)
    signer: Signer = field(default_factory=WalletSigner)
    duplicates: Duplicates = Duplicates.SAME
    defaults: Defaults = DEFAULTS
    max_live_processes: int = 2000
    probe: Probe = no_probe
    observer: Observer = NOBODY
    settings: Settings = field(default_factory=Settings)


class Shard:
    """Run the actors over one journal, from opening to closing.

    Attributes:
        journal: the store; reads may come from any thread.
        announcer: tells followers how far processes are stored.
        fence: why nothing is signed or written any more, or None.
        released: called on the committer's thread after all that one commit released.
        unfit: processes found unfit for scheduling since the start, and why.
    """

    def __init__(self, journal: Journal, options: ShardOptions) -> None:
        self.journal = journal
        self.fence: BaseException | None = None
        self.released: Callable[[], None] = _nothing
        self.unfit: dict[Id, Refused] = {}
        self._options = options
        self.announcer = Announcer()
        self._admission = Admission(options.settings.max_queued, options.settings.max_queued_bytes)
        self._deadlines = DeadlineTimer()
        self._upkeep = Upkeep(journal)
        self._directory = Directory()
        self._closed = threading.Event()
        self._ended = threading.Event()
        self._ending = threading.Lock()
        self._build()
        give_up_in_children(self)

    def _build(self) -> None:
        options, journal = self._options, self.journal
        wallets = {wallet.address: wallet for wallet in options.wallets}
        self.committer = Committer(
            journal,
            options.settings.commit,
            stored=self._stored,
            published=self._published,
            fenced=self.fenced,
            probe=options.probe,
            observer=options.observer,
            released=self._released,
        )
        self.publisher = Publisher(
            journal,
            Shipper(
                journal,
                options.uploader,
                Wrapper(wallets, options.signer),
                options.clock,
                options.probe,
                options.observer,
            ),
            options.settings.publish,
            receipts=self.committer.receipts,
            failed=self.fenced,
        )
        self._signing = SigningPool(
            wallets,
            options.signer,
            options.settings.signers,
            signed=self.committer.signed,
            failed=self.fenced,
            probe=options.probe,
            observer=options.observer,
        )
        self._clerk = Clerk(journal, self.committer)
        self._desk = Desk(
            around=self._surroundings(wallets),
            committer=self.committer,
            signing=self._signing,
            keep=self._keep,
            answer=self._clerk.answer,
            unfit=self._found_unfit,
            watch=self._watch_foreign,
            fenced=self.fenced,
            halted=lambda: self.fence is not None,
            probe=options.probe,
        )

    def _surroundings(self, wallets: Mapping[Any, Wallet]) -> Surroundings:
        return Surroundings(
            journal=self.journal,
            wallets=wallets.keys(),
            now=TimeKeeper(self._options.clock).now,
            blocks=self._options.block_clock,
            duplicates=self._options.duplicates,
            defaults=self._options.defaults,
        )

    def start(self) -> None:
        """Start everything, and sign and publish what the last run left undone."""
        self._options.block_clock.start()
        self._deadlines.start()
        self._upkeep.start()
        self.announcer.start()
        self.committer.start()
        self._signing.start()
        self.registry: pykka.ActorRef[SchedulerRegistry] = SchedulerRegistry.start(
            self._desk,
            self._directory,
            self._options.wallets[0],
            self._options.max_live_processes,
        )
        try:
            self.journal.require_space(0)
        except NeedsAdoption as exc:
            log.warning("read_only", reason=exc.detail)
            return
        except StoreFull as exc:
            log.warning("store_full", reason=exc.detail)
        self._recover()

    def _recover(self) -> None:
        # What is pinned is signed, what is stored is published: both are in the list of
        # unfinished work, so nothing else is read, however large the store is.
        for work in all_work(self.journal):
            if work.unsigned is not None:
                self.registry.tell(Resume(work.process))
        self.publisher.start()

    @property
    def addresses(self) -> tuple[Id, ...]:
        """The wallets it signs with."""
        return tuple(wallet.address for wallet in self._options.wallets)

    @property
    def closed(self) -> bool:
        """Whether nothing is accepted any more."""
        return self._closed.is_set()

    @property
    def load(self) -> Load:
        """How much is under way, without asking the store."""
        return Load(
            queued=self._admission.requests,
            queued_bytes=self._admission.bytes,
            under_way=self.committer.under_way,
            to_sign=self._signing.waiting,
            live_processes=len(self._directory),
            unpublished_processes=self.publisher.lanes,
            followers=self.announcer.followers,
            commits=self.committer.commits,
            records=self.committer.records,
        )

    @property
    def queued(self) -> int:
        """Requests between acceptance and the store."""
        return self._admission.requests

    @property
    def shards(self) -> tuple[ShardStatus]:
        """Where it stands: the only shard, as far as this program can tell."""
        return (self.standing(),)

    def standing(self, number: int = 0, generation: int = 1) -> ShardStatus:
        """Return where it stands, as the shard with that number, started so many times."""
        return ShardStatus(
            number=number,
            state=self._state,
            pid=os.getpid(),
            generation=generation,
            addresses=self.addresses,
            queued=self.queued,
            under_way=self.committer.under_way,
            live_processes=len(self._directory),
            commits=self.committer.commits,
            stuck=self.publisher.stuck(),
            unfit={process: reason.code for process, reason in self.unfit.items()},
            fenced=None if self.fence is None else repr(self.fence),
        )

    @property
    def _state(self) -> ShardState:
        return "closed" if self.closed else "ready"

    def ticket(self, patience: float) -> Ticket:
        """Make the ticket of one request, which ends after `patience` seconds."""
        ticket = Ticket(time.monotonic() + patience)
        if self._options.observer is not NOBODY:
            ticket.stored.add_done_callback(self._note)
        self.watch(ticket)
        return ticket

    def watch(self, ticket: Ticket) -> None:
        """See that a ticket ends at its deadline; all of them have about the same patience."""
        self._deadlines.watch(ticket)
        self._abandon_if_closed(ticket)

    def _note(self, future: StageFuture[Assignment]) -> None:
        if isinstance(future.error, SchedulerError):
            self._options.observer.refused(future.error.code)

    def _watch_foreign(self, ticket: Ticket) -> None:
        self._deadlines.watch_foreign(ticket)
        self._abandon_if_closed(ticket)

    def _abandon_if_closed(self, ticket: Ticket) -> None:
        # The timer may have ended just before, and would never look at it.
        if self.closed:
            ticket.abandon()

    def submit(self, message: Verified, ticket: Ticket) -> None:
        """Send a message on its way. Waits for nothing.

        Raises:
            Overloaded: the queue is full.
            Closed: the shard closed meanwhile.
        """
        size = len(message.encoded)
        self._admission.enter(size)
        ticket.on_leave(lambda: self._admission.leave(size))
        self._tell(Submit(message, ticket))

    def follow(self, process: Id, follower: Callable[[int], None]) -> Callable[[], None]:
        """Call `follower` after each stored slot of `process`; return what ends that."""
        return self.announcer.follow(process, follower)

    def backfill(self, process: Id, from_slot: int) -> int:
        """Upload published slots from `from_slot` on again; return how many.

        Raises:
            UploadFailed, UploadRefused: at the first slot that the bundler does not take.
        """
        published = self.journal.head(process).published
        return self.publisher.backfill(process, max(0, from_slot), published)

    def _keep(self, submit: Submit) -> None:
        kept = replace(submit, kept=True)
        self._clerk.keep_body(submit.message, submit.ticket, lambda: self._tell(kept))

    def _tell(self, submit: Submit) -> None:
        try:
            self._directory.send(submit, self.registry)
        except pykka.ActorDeadError:
            raise Closed() from None

    def fenced(self, reason: BaseException) -> None:
        """Stop for good: the state of the store is unknown until it is reopened.

        Called on the thread that failed; what else runs is ended from another one.
        """
        with self._ending:
            closing = self._closed.is_set()
            # While closing, some thread may still look at the store that is given up.
            if self.fence is not None or (closing and isinstance(reason, Closed)):
                return
            self.fence = reason
            self._closed.set()
        self._signing.halt()
        self.committer.halt()
        log.warning("fenced", reason=repr(reason))
        if not closing:
            threading.Thread(target=self._end, name="fence", daemon=True).start()

    def close(self) -> None:
        """Accept nothing more, finish what is under way, and give the store up. Idempotent.

        Returns once the store can be opened again, whoever is ending this shard.
        """
        patience = self._options.settings.close_seconds
        with self._ending:
            closing = self._closed.is_set()
            self._closed.set()
        if closing:
            self._ended.wait(patience)
            return
        self._drain(time.monotonic() + patience)
        self._end()

    def after_fork(self) -> None:
        """Be closed in a forked child, which has none of the threads. See `storage.forks`."""
        # Fresh ones: a thread of the parent may have held the old ones.
        self._ending, self._closed, self._ended = (
            threading.Lock(),
            threading.Event(),
            threading.Event(),
        )
        self._closed.set()
        self._ended.set()

    def _drain(self, deadline: float) -> None:
        pause = threading.Event()
        while self.queued and time.monotonic() < deadline and self.fence is None:
            pause.wait(0.002)

    def _stored(self, flights: Sequence[Flight]) -> None:
        self.publisher.stored(flights)
        for flight in flights:
            self.announcer.stored(flight.process, flight.slot)

    def _released(self) -> None:
        self.released()

    def _published(self, receipts: Sequence[Receipt]) -> None:
        self.publisher.settled(receipts)

    def _found_unfit(self, process: Id, reason: Refused) -> None:
        self.unfit[process] = reason
        log.warning("process_unfit", process=process, code=reason.code, reason=reason.detail)

    def _end(self) -> None:
        try:
            self._stop()
        finally:
            self._deadlines.stop()
            self.journal.close()
            self._ended.set()

    def _stop(self) -> None:
        if self.fence is not None:
            self._deadlines.stop()
        self._upkeep.stop()
        self.registry.stop(block=False)
        self.publisher.stop()
        self._signing.stop()
        self.committer.stop()
        self._clerk.stop()
        self.announcer.stop()
        self._options.block_clock.stop()


def _nothing() -> None:
    """Nobody gathers what is released."""
