"""The registry of live processes: who is where, started once, put to rest in time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pykka

from actors.actor import SchedulerActor
from actors.directory import Directory, ProcessRef
from actors.events import log
from actors.messages import Busy, Detour, Passivate, Resume, Retired, Submit
from actors.process import Desk, ProcessActor
from protocol.errors import NotFound, Refused
from protocol.ids import Id
from protocol.message import Verified
from protocol.terms import spawn_terms
from protocol.wallet import Wallet
from storage.journal import Head


@dataclass(frozen=True, slots=True)
class Retirement:
    """An actor that was asked to leave, and what came for its process since."""

    ref: ProcessRef
    held: list[Submit | Detour] = field(default_factory=list)


class SchedulerRegistry(SchedulerActor):
    """Find the actor of a process, and start it when it is not live.

    What comes for a process that is not live passes through here, so two first messages
    start one actor. While an actor retires it is out of the directory: what comes for its
    process is held here, and goes to it if it stays or to a fresh actor if it left.

    It takes `Submit`, `Detour` and `Resume`, and the methods `find`, `processes` and `wallet`
    through its proxy.
    """

    def __init__(
        self, desk: Desk, directory: Directory, wallet: Wallet | None, max_live_processes: int
    ) -> None:
        super().__init__()
        self._desk = desk
        self._wallet = wallet
        self._max_live = max_live_processes
        # Read and used by callers too; only this actor adds to it and takes from it.
        self._directory = directory
        # Owned by this actor's thread.
        self._retiring: dict[Id, Retirement] = {}

    def find(self, process_id: Id, create: bool = False) -> ProcessRef:
        """Return the actor of a process, started if need be.

        Args:
            process_id: ID of the process.
            create: start an actor even for a process that the store does not know, so that
                its first message can be told to it.

        Raises:
            NotFound: the store does not know the process.
            CorruptRecord: its head does not match its digest.
        """
        retirement = self._retiring.get(process_id)
        ref = retirement.ref if retirement else self._directory.get(process_id)
        if ref is not None:
            return ref
        head = self._head(process_id)
        if head is None and not create:
            raise NotFound(f"process {process_id} is not scheduled here")
        return self._start(process_id, head)

    def processes(self) -> list[Id]:
        """Return the processes that are live now, least recently used first."""
        return [*self._retiring, *self._directory.processes()]

    def wallet(self) -> Wallet:
        """Return the first wallet of this scheduler.

        Raises:
            NotFound: it was opened without one.
        """
        if self._wallet is None:
            raise NotFound("the scheduler was opened without a wallet")
        return self._wallet

    def on_receive(self, message: Any) -> None:
        """Serve one message."""
        if isinstance(message, Submit | Detour):
            self._serve(message)
        elif isinstance(message, Retired):
            self._bury(message)
        elif isinstance(message, Busy):
            self._keep(message.process)
        elif isinstance(message, Resume):
            self._resume(message.process)
        else:
            # Somebody's mistake must not end the scheduler: Pykka warns and answers None.
            super().on_receive(message)

    def on_failure(self, *exc_info: Any) -> None:
        """Fence the shard: without a registry nothing can be scheduled."""
        self._desk.fenced(exc_info[1] or RuntimeError("the registry died"))

    def on_stop(self) -> None:
        """Stop every actor after what it was told."""
        for process in self.processes():
            self.find(process).stop(block=False)

    def _serve(self, message: Submit | Detour) -> None:
        submit = message.submit if isinstance(message, Detour) else message
        if not submit.ticket.watched:
            self._desk.watch(submit.ticket)
        process = submit.message.process
        if process in self._retiring:
            self._retiring[process].held.append(message)
            return
        self._route(submit)
        if isinstance(message, Detour):
            self._directory.arrived(process)

    def _route(self, submit: Submit) -> None:
        message, process = submit.message, submit.message.process
        try:
            ref = self._directory.get(process) or self._start_for(message)
        except Refused as exc:
            log.failed(exc, message)
            submit.ticket.fail(exc)
            return
        try:
            ref.tell(submit)
        except pykka.ActorDeadError:
            # It died or was stopped by hand. Its slots are in the store, or the shard is fenced
            # and what the store says of the process may not be the truth yet.
            self._directory.leave(process)
            if self._desk.halted():
                submit.ticket.abandon()
            else:
                self._route(submit)

    def _resume(self, process: Id) -> None:
        try:
            self.find(process)
        except Refused as exc:
            self._desk.unfit(process, exc)

    def _start_for(self, message: Verified) -> ProcessRef:
        head = self._head(message.process)
        if head is None:
            # Anybody can sign a process: one that would not begin here displaces no other.
            if not message.is_process:
                raise NotFound(f"process {message.process} is not scheduled here")
            around = self._desk.around
            spawn_terms(message.keys, around.wallets, around.defaults)
        return self._start(message.process, head)

    def _start(self, process_id: Id, head: Head | None) -> ProcessRef:
        self._make_room()
        ref = ProcessActor.start(process_id, head, self._desk, self.actor_ref)
        self._directory.enter(process_id, ref)
        return ref

    def _head(self, process_id: Id) -> Head | None:
        try:
            return self._desk.around.journal.head(process_id)
        except NotFound:
            return None

    def _make_room(self) -> None:
        for process in self._directory.longest_idle(len(self._directory) + 1 - self._max_live):
            ref = self._directory.leave(process)
            if ref is not None and ref.is_alive():
                self._retiring[process] = Retirement(ref)
                ref.tell(Passivate())

    def _bury(self, retired: Retired) -> None:
        if self._directory.get(retired.process) is retired.ref:
            self._directory.leave(retired.process)
        # Nobody tells it anything from here on, and what it was told before it retired has
        # come back, so stopping it loses nothing.
        if retired.ref.is_alive():
            retired.ref.stop(block=False)
        # One that died may say so late, when another has taken its place and retires.
        retirement = self._retiring.get(retired.process)
        if retirement is not None and retirement.ref is retired.ref:
            self._release(retired.process)

    def _keep(self, process: Id) -> None:
        # Somebody else may have asked it to leave: then it never left the directory.
        if process in self._retiring:
            self._directory.enter(process, self._retiring[process].ref)
            self._release(process)

    def _release(self, process: Id) -> None:
        for message in self._retiring.pop(process).held:
            self._serve(message)
