"""The front: schedules in shards that run in programs of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pykka

from actors.announcer import Announcer
from actors.channel.folder import SocketFolder
from actors.channel.loop import Loop
from actors.deadlines import DeadlineTimer
from actors.futures import StageFuture
from actors.load import Load
from actors.observer import NOBODY, Observer
from actors.shards.answers import load_of, sum_of
from actors.shards.followed import Followed
from actors.shards.line import Line
from actors.status import ShardStatus
from actors.ticket import Ticket
from protocol.assignment import Assignment
from protocol.errors import Closed, SchedulerError, UnsupportedValue
from protocol.ids import Id
from protocol.message import Verified
from storage import shard_of
from storage.forks import give_up_in_children
from storage.journal import Reader

LATE_SECONDS = 0.25
"""How much later than a shard the front ends a request: what the shard knows is more exact."""

DRAIN_SECONDS = 0.01
"""Between two looks whether what is under way is stored."""

REDIAL_SECONDS = 0.05
"""Between two tries to reach a shard that starts again."""

ANSWER_SECONDS = 1.0
"""How long shards may take to say where they stand; one that does not is shown as recovering."""


class Front:
    """Send each message to its process's shard. Implements `Scheduling`.

    Attributes:
        reader: of the whole store.
        fence: why the shards have ended for good without being closed, or None.
    """

    def __init__(
        self,
        sockets: SocketFolder,
        shards: int,
        reader: Reader,
        observer: Observer = NOBODY,
        close_seconds: float = 10.0,
    ) -> None:
        """Prepare, without connecting.

        Args:
            sockets: where the shards listen.
            shards: how many the store has.
            reader: of the whole store; closed with the front.
            observer: told of requests that were refused, here or there.
            close_seconds: how long closing waits for what is under way.
        """
        self.fence: BaseException | None = None
        self.reader = reader
        self._observer = observer
        self._close_seconds = close_seconds
        self._announcer = Announcer()
        self._followed = Followed(reader, self._announcer)
        self._deadlines = DeadlineTimer()
        self._closed = threading.Event()
        self._complete = threading.Event()
        self._ending = threading.Lock()
        self._ended = False
        # Held while subscriptions change: the shards are told in the same order.
        self._following = threading.Lock()
        self._loop = Loop("front")
        self._lines = [self._line_to(sockets, number, shards) for number in range(shards)]
        # One for each: a shard that takes its time to greet keeps nobody from the others.
        self._dialers = [
            threading.Thread(target=self._dial, args=(line,), name="dialer", daemon=True)
            for line in self._lines
        ]
        give_up_in_children(self)

    def start(self, patience: float) -> bool:
        """Connect, and stay connected; tell whether every shard was reached in `patience`."""
        self._loop.start()
        self._deadlines.start()
        self._announcer.start()
        for dialer in self._dialers:
            dialer.start()
        return self._complete.wait(patience)

    @property
    def closed(self) -> bool:
        """Whether nothing is accepted any more."""
        return self._closed.is_set()

    @property
    def load(self) -> Load:
        """How much is under way, over all shards that say so in time."""
        loads = [Load(followers=self._announcer.followers)]
        until = time.monotonic() + ANSWER_SECONDS
        for answer in self._ask_all("load"):
            if answer is not None:
                with suppress(SchedulerError, pykka.Timeout):
                    loads.append(load_of(answer.get(timeout=max(0.0, until - time.monotonic()))))
        # The shards' followers are the programs that pass on what ours are told.
        return sum_of(loads)

    @property
    def shards(self) -> Sequence[ShardStatus]:
        """Where each shard stands, by number."""
        until = time.monotonic() + ANSWER_SECONDS
        answers = self._ask_all("status")
        found = [
            line.status(answer, max(0.0, until - time.monotonic()))
            for line, answer in zip(self._lines, answers, strict=True)
        ]
        return [replace(shard, state="closed") for shard in found] if self.closed else found

    @property
    def registry(self) -> pykka.ActorRef[Any]:
        """There is none in this program.

        Raises:
            UnsupportedValue: always.
        """
        raise UnsupportedValue("the actors live in the shards' programs, and can be told nothing")

    def ticket(self, patience: float) -> Ticket:
        """Make the ticket of one request, which ends after `patience` seconds."""
        ticket = Ticket(time.monotonic() + patience + LATE_SECONDS)
        if self._observer is not NOBODY:
            ticket.stored.add_done_callback(self._note)
        self._deadlines.watch(ticket)
        if self.closed:
            ticket.abandon()
        return ticket

    def submit(self, message: Verified, ticket: Ticket) -> None:
        """Send a message to its shard. Waits for nothing.

        Raises:
            Overloaded: its shard takes too little, or has too much.
            Recovering: its shard is starting again.
            Closed: nothing is accepted any more.
        """
        if self.closed:
            raise Closed
        line = self._line(message.process)
        # From here on only the shard can say what becomes of it.
        if ticket.claim():
            line.submit(message, ticket.deadline - LATE_SECONDS, ticket)

    def follow(self, process: Id, follower: Callable[[int], None]) -> Callable[[], None]:
        """Call `follower` after each stored slot of `process`; return what ends that."""
        line = self._line(process)
        part = self._announcer.follow(process, follower)
        with self._following:
            if self._followed.enter(process):
                line.follow(process)
        once = threading.Lock()

        def end() -> None:
            if once.acquire(blocking=False):
                part()
                self._part(process)

        return end

    def backfill(self, process: Id, from_slot: int) -> int:
        """Upload published slots again, in their shard. See `Scheduling`."""
        answer: int = self._line(process).ask("backfill", process, from_slot).get()
        return answer

    def fail(self, reason: BaseException) -> None:
        """End for good: the shards could not be kept running."""
        self.fence = reason
        self._closed.set()
        for line in self._lines:
            line.close()

    def close(self) -> None:
        """Accept nothing more, wait for what is under way, and leave the shards. Idempotent."""
        self._closed.set()
        with self._ending:
            if not self._ended:
                self._ended = True
                self._drain()
                self._end()

    def after_fork(self) -> None:
        """Be closed in a forked child, which has none of the threads. See `storage.forks`."""
        self._closed, self._ending = threading.Event(), threading.Lock()
        self._following = threading.Lock()
        self._closed.set()
        # The shards, and the folder of their sockets, are the parent's.
        self._ended = True

    def _line_to(self, sockets: SocketFolder, number: int, shards: int) -> Line:
        return Line(
            self._loop,
            sockets.socket(number),
            number,
            shards,
            stored=self._followed.stored,
            changed=self._changed,
            closing=lambda: self.closed,
        )

    def _part(self, process: Id) -> None:
        with self._following:
            if self._followed.leave(process):
                self._line(process).unfollow(process)

    def _changed(self, line: Line) -> None:
        if not line.up:
            line.redial.set()
            return
        with self._following:
            for process in self._followed:
                if self._line(process) is line:
                    line.follow(process)

    def _line(self, process: Id) -> Line:
        return self._lines[shard_of(process, len(self._lines))]

    def _ask_all(self, what: str) -> list[StageFuture[Any] | None]:
        answers: list[StageFuture[Any] | None] = []
        for line in self._lines:
            try:
                answers.append(line.ask(what))
            except SchedulerError:
                answers.append(None)
        return answers

    def _dial(self, line: Line) -> None:
        while True:
            line.redial.clear()
            # In this order: whoever closes says so first, and then wakes us.
            if self.closed:
                return
            reached = line.dial()
            if all(each.up for each in self._lines):
                self._complete.set()
            line.redial.wait(None if reached else REDIAL_SECONDS)

    def _drain(self) -> None:
        pause, deadline = threading.Event(), time.monotonic() + self._close_seconds
        while time.monotonic() < deadline and any(line.busy for line in self._lines):
            pause.wait(DRAIN_SECONDS)

    def _end(self) -> None:
        for line, dialer in zip(self._lines, self._dialers, strict=True):
            line.redial.set()
            if dialer.is_alive():
                dialer.join()
        for line in self._lines:
            line.close()
        self._loop.stop()
        self._deadlines.stop()
        self._announcer.stop()
        self.reader.close()

    def _note(self, future: StageFuture[Assignment]) -> None:
        if isinstance(future.error, SchedulerError):
            self._observer.refused(future.error.code)
