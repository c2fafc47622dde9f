"""The registry of live processes: who is where, started once, put to rest in time."""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from typing import Any

import pykka

from actors.events import log
from actors.messages import Busy, Passivate, Resume, Retired, Submit
from actors.process import Desk, ProcessActor
from protocol.errors import NotFound, Refused
from protocol.ids import Id
from protocol.wallet import Wallet
from storage.journal import Head

ProcessRef = pykka.ActorRef[ProcessActor]


class SchedulerRegistry(pykka.ThreadingActor):
    """Find the actor of a process, and start it when it is not live.

    Everything for a process passes through here, so two first messages start one actor,
    and no message is ever told to an actor that may be stopping: while one retires, what
    comes for its process is held here and goes to a fresh actor.

    It takes `Submit` and `Resume`, and the methods `find`, `processes` and `wallet`
    through its proxy.
    """

    use_daemon_thread = True

    def __init__(self, desk: Desk, wallet: Wallet | None, max_live_processes: int) -> None:
        super().__init__()
        self._desk = desk
        self._wallet = wallet
        self._max_live = max_live_processes
        # Least recently used first. Owned by this actor's thread, like all below.
        self._live: OrderedDict[Id, ProcessRef] = OrderedDict()
        self._retiring: dict[Id, list[Submit]] = {}

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
        ref = self._live.get(process_id)
        return ref if ref is not None else self._start(process_id, create)

    def processes(self) -> list[Id]:
        """Return the processes that are live now, least recently used first."""
        return list(self._live)

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
        if isinstance(message, Submit):
            self._route(message)
        elif isinstance(message, Retired):
            self._bury(message)
        elif isinstance(message, Busy):
            self._keep(message.process)
        elif isinstance(message, Resume):
            self._resume(message.process)
        else:
            raise TypeError(f"the registry takes no {type(message).__name__}")

    def on_failure(self, *exc_info: Any) -> None:
        """Fence the shard: without a registry nothing can be scheduled."""
        self._desk.fenced(exc_info[1] or RuntimeError("the registry died"))

    def on_stop(self) -> None:
        """Stop every actor after what it was told."""
        for ref in self._live.values():
            ref.stop(block=False)

    def _route(self, submit: Submit) -> None:
        message, process = submit.message, submit.message.process
        held = self._retiring.get(process)
        if held is not None:
            held.append(submit)
            return
        try:
            ref = self.find(process, create=message.is_process)
        except Refused as exc:
            log.failed(exc, process=process, message=message.message_id)
            submit.ticket.fail(exc)
            return
        self._live.move_to_end(process)
        try:
            ref.tell(submit)
        except pykka.ActorDeadError:
            # It died or was stopped by hand. Its slots are in the store, or the shard is fenced
            # and what the store says of the process may not be the truth yet.
            del self._live[process]
            if self._desk.halted():
                submit.ticket.abandon()
            else:
                self._route(submit)

    def _resume(self, process: Id) -> None:
        try:
            self.find(process)
        except Refused as exc:
            self._desk.unfit(process, exc)

    def _start(self, process_id: Id, create: bool) -> ProcessRef:
        head = self._head(process_id, create)
        ref = ProcessActor.start(process_id, head, self._desk, self.actor_ref)
        self._live[process_id] = ref
        self._make_room()
        return ref

    def _head(self, process_id: Id, create: bool) -> Head | None:
        try:
            return self._desk.around.journal.head(process_id)
        except NotFound:
            if create:
                return None
            raise

    def _make_room(self) -> None:
        excess = len(self._live) - len(self._retiring) - self._max_live
        if excess <= 0:
            return
        staying = (process for process in self._live if process not in self._retiring)
        for process in list(islice(staying, excess)):
            self._retiring[process] = []
            self._live[process].tell(Passivate())

    def _bury(self, retired: Retired) -> None:
        if self._live.get(retired.process) is retired.ref:
            del self._live[retired.process]
        # Nobody tells it anything from here on, and what it was told before it retired has
        # come back, so stopping it loses nothing.
        if retired.ref.is_alive():
            retired.ref.stop(block=False)
        for submit in self._retiring.pop(retired.process, []):
            self._route(submit)

    def _keep(self, process: Id) -> None:
        self._live.move_to_end(process)
        for submit in self._retiring.pop(process, []):
            self._route(submit)
