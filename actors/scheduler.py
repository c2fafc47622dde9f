"""The programmatic scheduler: open a store, schedule messages, read schedules."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from operator import index
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pykka import ActorProxy, Timeout

from actors.blocks import BlockClock, OfflineBlockClock
from actors.clock import Clock, system_clock
from actors.events import log
from actors.load import Load
from actors.observer import NOBODY, Observer, guarded
from actors.opening import require_sensible, started, wallets_of
from actors.probe import Probe, no_probe
from actors.registry import SchedulerRegistry
from actors.schedules import Schedules, as_id
from actors.scheduling import Scheduling
from actors.settings import Settings
from actors.shard import ShardOptions
from actors.signing import Signer, WalletSigner
from actors.stages import Duplicates, SchedulingMode, Stage
from actors.status import Status, status_of
from actors.ticket import Ticket
from actors.uploader import FolderUploader, Uploader
from protocol.assignment import Assignment
from protocol.chain import HashChain
from protocol.commitment import ANS104
from protocol.errors import (
    Closed,
    OutcomeUnknown,
    SchedulerError,
    SchedulingDisabled,
)
from protocol.ids import Id
from protocol.message import ACCEPTED, Encoded, Message, Verified, verify
from protocol.terms import Defaults
from protocol.wallet import Wallet
from storage import ShardedReader, StoreSettings, open_readers, open_writer
from storage.journal import Reader, Work

if TYPE_CHECKING:
    from actors.channel.folder import SocketFolder
    from actors.shards.settings import SupervisionSettings
    from storage.verify import Report

PATIENCE_SECONDS = 10.0
GRACE_SECONDS = 5.0
"""How much longer than its deadline `assign` waits for an answer that must come by then."""

JOIN_SECONDS = 2.0
"""How long joining waits for all shards; one that is starting again is reached later."""

AnyItem = Encoded | Message | Verified


class Scheduler(Schedules):
    """Schedule messages of AO processes in a store of one's own, and read their schedules.

    Made by `Scheduler.open`. Safe to use from many threads; a context manager.
    """

    def __init__(
        self,
        path: Path,
        reader: Reader,
        scheduling: Scheduling | None,
        mode: SchedulingMode,
        accept: frozenset[int],
        patience: float,
    ) -> None:
        """Take the parts; use `Scheduler.open`."""
        super().__init__(reader)
        self.path = path
        self.mode = mode
        self._scheduling = scheduling
        self._accept = accept
        self._patience = patience
        self._closed = False

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        wallet: Wallet | Sequence[Wallet] = (),
        mode: SchedulingMode | str = SchedulingMode.LOCAL_CONFIRMATION,
        shards: int = 0,
        *,
        uploader: Uploader | None = None,
        clock: Clock = system_clock,
        block_clock: BlockClock | None = None,
        signer: Signer | None = None,
        duplicates: Duplicates | str = Duplicates.SAME,
        chain: str = HashChain.name,
        commitment_device: str = ANS104,
        deadline: float = PATIENCE_SECONDS,
        max_live_processes: int = 2000,
        probe: Probe = no_probe,
        observer: Observer = NOBODY,
        accept_signature_types: Collection[int] = (),
        store: StoreSettings | None = None,
        settings: Settings | None = None,
        supervision: SupervisionSettings | None = None,
    ) -> Self:
        """Open the store at `path`, creating it if there is none.

        Args:
            path: folder of the store.
            wallet: one wallet or several; may be left out when `mode` is DISABLED.
            mode: the stage that `assign` waits for. DISABLED opens for reading only, beside
                a writer in another program: LMDB opens a store once per program.
            shards: 0 runs everything in this program; more run that many programs, which are
                started anew when they die. What is handed in below is then pickled into each of
                them, and the caller's main module begins with ``if __name__ == "__main__"``.
                It is the store's for good: `ao-scheduler reshard` changes it.
            uploader: where items are published; a folder inside the store by default.
            clock: returns milliseconds since 1970.
            block_clock: knows the newest Arweave block; offline by default.
            signer: makes signatures with a wallet; the wallet itself by default.
            duplicates: "same" slot, "allow" a new one, or "reject" when a message comes again.
            chain: chain rule of new processes that ask for none: "hash-chain", or
                "base-hashpath", which lets a process sign one slot at a time only.
            commitment_device: of their assignments: "ans104@1.0" or "httpsig@1.0".
            deadline: seconds after which every request has been answered.
            max_live_processes: actors kept alive; others come back with one read.
            probe: called at the named points of a message's way.
            observer: told what happens, for metrics.
            accept_signature_types: ANS-104 signature types to take beside 1, RSA: 2 Ed25519,
                3 Ethereum.
            store: limits of the store.
            settings: all other numbers.
            supervision: when shards count as silent, and how often they are started again.

        Raises:
            StoreInUse: another program is writing to the store, or this one has it open.
            StoreInvalid: the folder is no store and not empty, or of a newer format.
            WalletError: what was given is no wallet, or nothing was and `mode` is not DISABLED.
            ValueError: `deadline`, `shards` or `max_live_processes` is no number to run with, or
                `chain` or `commitment_device` is not built.
        """
        root, chosen = Path(path), SchedulingMode(mode)
        require_sensible(shards, deadline, max_live_processes)
        accept = ACCEPTED | frozenset(accept_signature_types)
        if chosen is SchedulingMode.DISABLED:
            return cls(root, open_readers(root), None, chosen, accept, deadline)
        options = ShardOptions(
            wallets=wallets_of(wallet),
            uploader=uploader or FolderUploader(root / "published"),
            clock=clock,
            block_clock=block_clock or OfflineBlockClock(),
            signer=signer or WalletSigner(),
            duplicates=Duplicates(duplicates),
            defaults=Defaults(chain, commitment_device),
            max_live_processes=max_live_processes,
            probe=probe,
            observer=guarded(observer),
            settings=settings or Settings(),
        )
        log.step("starting_scheduler", path=str(root), mode=chosen.value, shards=shards)
        store = store or StoreSettings()
        if shards:
            # Only now: a program that has no shards needs nothing of this.
            from actors.shards.fleet import Fleet

            fleet = Fleet.launch(root, shards, options, store, supervision)
            return cls(root, fleet.reader, fleet, chosen, accept, deadline)
        shard = started(open_writer(root, settings=store), options)
        return cls(root, shard.journal, shard, chosen, accept, deadline)

    @classmethod
    def join(
        cls,
        path: str | os.PathLike[str],
        sockets: SocketFolder,
        mode: SchedulingMode | str = SchedulingMode.LOCAL_CONFIRMATION,
        *,
        deadline: float = PATIENCE_SECONDS,
        observer: Observer = NOBODY,
        accept_signature_types: Collection[int] = (),
        store: StoreSettings | None = None,
        settings: Settings | None = None,
    ) -> Self:
        """Schedule in shards that another program started and watches.

        Args:
            path: folder of the store.
            sockets: where its shards listen; those that do not yet are waited for in the
                background.
            mode: the stage that `assign` waits for.
            deadline: seconds after which every request has been answered.
            observer: told of the requests that are refused.
            accept_signature_types: as for `open`.
            store: as for `open`.
            settings: as for `open`; here only closing has one.

        Raises:
            StoreInvalid: the folder is no store.
            StoreInUse: this program has it open already.
        """
        from actors.shards.front import Front

        require_sensible(0, deadline, 1)
        root, reader = Path(path), open_readers(path, settings=store or StoreSettings())
        close_seconds = (settings or Settings()).close_seconds
        shards = len(reader.readers) if isinstance(reader, ShardedReader) else 1
        front = Front(sockets, shards, reader, guarded(observer), close_seconds)
        front.start(JOIN_SECONDS)
        accept = ACCEPTED | frozenset(accept_signature_types)
        return cls(root, reader, front, SchedulingMode(mode), accept, deadline)

    def schedule(self, item: AnyItem) -> Ticket:
        """Verify a message and send it on its way; return at once.

        A message of type Process starts its own schedule at slot 0. Waits for no disk and
        no actor. Every error but `Closed` ends the three futures of the ticket.

        Args:
            item: a serialised ANS-104 item, or a decoded or verified message; anything else
                is a `MalformedItem`.

        Raises:
            Closed: the scheduler is closed, or was fenced.
        """
        if self.closed:
            raise Closed(_why(self._scheduling))
        if self._scheduling is None:
            return _refused(SchedulingDisabled())
        ticket = self._scheduling.ticket(self._patience)
        try:
            message = item if isinstance(item, Verified) else verify(item, accept=self._accept)
            self._scheduling.submit(message, ticket)
        except SchedulerError as exc:
            log.failed(exc, item)
            ticket.fail(exc)
        return ticket

    def assign(self, item: AnyItem, stage: Stage | None = None) -> Assignment:
        """Schedule a message and wait for the stage that the mode names, or for `stage`.

        Raises:
            Refused: it was not scheduled, and nothing changed.
            OutcomeUnknown: it may be; ask again with the same message.
            PublicationPending: it is, but publishing takes longer than the deadline.
        """
        future = self.schedule(item).future(stage or self.mode.stage)
        try:
            return future.get(timeout=self._patience + GRACE_SECONDS)
        except Timeout:
            raise OutcomeUnknown() from None

    def subscribe(self, process: Id | str, follower: Callable[[int], None]) -> Callable[[], None]:
        """Call `follower` with the highest stored slot whenever more of a process is stored.

        On a thread of the scheduler's own, which it must not hold up: the others are told after
        it. Slots that are stored meanwhile become one call. What it raises ends its
        subscription. Slots stored before are not told: subscribe first, then read.

        Returns:
            What ends the subscription.

        Raises:
            SchedulingDisabled: this scheduler was opened for reading only.
        """
        if self._scheduling is None:
            raise SchedulingDisabled()
        return self._scheduling.follow(as_id(process), follower)

    def load(self) -> Load:
        """Return how much is under way; without asking the store, unlike `status`."""
        return Load() if self._scheduling is None else self._scheduling.load

    def status(self) -> Status:
        """Return where this scheduler stands; once it is closed or fenced, from memory."""
        if self._scheduling is None:
            return status_of(self.mode, self._reader)
        shards, fence = self._scheduling.shards, self._scheduling.fence
        return status_of(self.mode, self._reader, shards, fence)

    def verify(self, process: Id | str | None = None) -> Report:
        """Check the whole store, or one process: chain, signatures, heads, index, receipts.

        Runs in programs of its own, on all cores, reading beside the writer.
        """
        from storage.verify import verify_store

        return verify_store(self.path, None if process is None else as_id(process))

    def pending(self) -> list[Work]:
        """Return the first thousand processes with stored slots that have no receipt."""
        return [work for work in self._reader.work() if work.unpublished is not None]

    def backfill(self, process: Id | str, from_slot: int = 0) -> int:
        """Upload published slots from `from_slot` on again; return how many.

        Raises:
            UploadFailed, UploadRefused: at the first slot that the bundler does not take.
            SchedulingDisabled: this scheduler was opened for reading only.
        """
        if self._scheduling is None:
            raise SchedulingDisabled()
        return self._scheduling.backfill(as_id(process), index(from_slot))

    @property
    def closed(self) -> bool:
        """Whether nothing is accepted any more: after `close`, or fenced."""
        return self._closed or (self._scheduling is not None and self._scheduling.closed)

    @property
    def registry(self) -> ActorProxy[SchedulerRegistry]:
        """The registry of live processes, as a Pykka proxy.

        Raises:
            SchedulingDisabled: this scheduler was opened for reading only.
        """
        if self._scheduling is None:
            raise SchedulingDisabled()
        return self._scheduling.registry.proxy()

    def close(self) -> None:
        """Finish what is under way and give the store up. Idempotent."""
        self._closed = True
        if self._scheduling is not None:
            self._scheduling.close()
        else:
            self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self.closed else self.mode.value
        return f"<Scheduler {self.path} {state}>"


def _refused(error: SchedulerError) -> Ticket:
    ticket = Ticket(0.0)
    ticket.fail(error)
    return ticket


def _why(scheduling: Scheduling | None) -> str:
    if scheduling is not None and scheduling.fence is not None:
        return f"the scheduler was fenced: {scheduling.fence}"
    return "the scheduler is closed"
