"""The way to one shard: a session while there is one, and none while the shard starts again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pykka

from actors.channel.errors import ConnectionLost
from actors.channel.letters import VERSION, Follow, Hello, Unfollow
from actors.channel.loop import Loop
from actors.events import log
from actors.futures import StageFuture
from actors.shards.answers import status_of
from actors.shards.session import Session
from actors.status import ShardStatus
from actors.ticket import Ticket
from protocol.errors import Recovering, SchedulerError
from protocol.ids import Id
from protocol.message import Verified

HELLO_SECONDS = 5.0
"""How long a shard may take to say what it is; it listens only once it is ready."""


class Line:
    """Reach one shard, over one session after the other. Safe to use from many threads.

    Attributes:
        number: of the shard.
        redial: set when there is reason to dial again.
    """

    def __init__(
        self,
        loop: Loop,
        path: Path,
        number: int,
        shards: int,
        stored: Callable[[Id, int], None],
        changed: Callable[[Line], None],
        closing: Callable[[], bool],
    ) -> None:
        """Prepare, without connecting.

        Args:
            loop: runs the connections.
            path: of the shard's socket.
            number: of the shard.
            shards: how many the store has.
            stored: told of a slot that became stored, in a process that is followed.
            changed: told that there is a session now, or none any more.
            closing: asked whether this program schedules no more.
        """
        self.number = number
        self.redial = threading.Event()
        self._loop = loop
        self._path = path
        self._shards = shards
        self._stored = stored
        self._changed = changed
        self._closing = closing
        self._session: Session | None = None
        self._hello: Hello | None = None
        self._lock = threading.Lock()

    @property
    def up(self) -> bool:
        """Whether there is a session."""
        return self._session is not None

    @property
    def busy(self) -> bool:
        """Whether any request is neither stored nor refused."""
        session = self._session
        return session is not None and session.busy

    def dial(self) -> bool:
        """Try to connect, unless there is a session; tell whether there is one now.

        Called by one thread.
        """
        if self._session is not None:
            return True
        try:
            self._greet()
        except (SchedulerError, ConnectionLost, OSError, pykka.Timeout) as exc:
            # Such as no descriptor that is free, or a shard that is killed in the middle of a
            # greeting and resets the connection: both pass.
            log.warning("shard_not_reached", shard=self.number, reason=repr(exc))
        return self.up

    def hear_out(self, seconds: float) -> None:
        """Wait until the session has ended by itself, with all that came over it, if there is one.

        Called on another thread than the loop's.
        """
        if (session := self._session) is not None:
            session.ended.wait(seconds)

    def submit(self, message: Verified, deadline: float, ticket: Ticket) -> None:
        """Send a claimed request on its way, to be taken up before `deadline`.

        Raises:
            Recovering: the shard is starting again; it was not sent.
            Overloaded: the shard takes too little, or has too much.
        """
        self._current().submit(message, deadline, ticket)

    def ask(self, what: str, *arguments: Any) -> StageFuture[Any]:
        """Ask the shard.

        Raises:
            Recovering: it is starting again.
        """
        return self._current().ask(what, *arguments)

    def follow(self, process: Id) -> None:
        """Have the stored slots of a process told, by the session that there is, if any."""
        with suppress(Recovering):
            self._current().tell(Follow(process))

    def unfollow(self, process: Id) -> None:
        """Have them told no more."""
        with suppress(Recovering):
            self._current().tell(Unfollow(process))

    def status(self, answer: StageFuture[Any] | None, seconds: float) -> ShardStatus:
        """Return what the shard answered, or will within `seconds`; else what is known of it."""
        if answer is not None:
            with suppress(SchedulerError, pykka.Timeout):
                return status_of(answer.get(timeout=seconds))
        hello = self._hello
        if hello is None:
            return ShardStatus(self.number, "recovering", generation=0)
        return ShardStatus(
            self.number, "recovering", generation=hello.generation, addresses=hello.addresses
        )

    def close(self) -> None:
        """End the session."""
        if (session := self._session) is not None:
            session.close()

    def _current(self) -> Session:
        session = self._session
        if session is None:
            raise Recovering
        return session

    def _greet(self) -> None:
        try:
            session = Session(self._loop, self._path, self._stored, self._ended, self._closing)
        except ConnectionLost:
            return  # nobody listens yet, which is no news
        try:
            self._begin(session, session.hello.get(timeout=HELLO_SECONDS))
        except BaseException:
            session.close()
            raise
        self._changed(self)

    def _begin(self, session: Session, hello: Hello) -> None:
        if (hello.version, hello.shard, hello.shards) != (VERSION, self.number, self._shards):
            raise ConnectionLost(f"another shard answered: {hello}")
        with self._lock:
            self._hello = hello
            if not session.ended.is_set():
                self._session = session

    def _ended(self, session: Session) -> None:
        with self._lock:
            if self._session is session:
                self._session = None
        self._changed(self)
