"""One connection to a shard, from the greeting until it is lost."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actors.channel.connection import Connection
from actors.channel.errors import ConnectionLost
from actors.channel.letters import (
    VERSION,
    Answer,
    Ask,
    Failed,
    Greeting,
    Hello,
    Letter,
    Reached,
    Refusal,
    Stored,
    Submit,
    pack,
)
from actors.channel.listener import connect
from actors.channel.loop import Loop
from actors.events import log
from actors.futures import StageFuture
from actors.stages import Stage
from actors.ticket import Ticket
from protocol.assignment import Assignment
from protocol.errors import Closed, MalformedFrame, Overloaded, Recovering
from protocol.ids import Id
from protocol.message import Verified

MAX_OUTSTANDING = 20_480
"""Tickets without their last outcome on one connection: as many as a shard keeps itself."""


class Session:
    """Submit over one connection, and pass on what comes back. Safe to use from many threads.

    Attributes:
        hello: what the shard said of itself, once it did.
        ended: set once the connection is lost.
    """

    def __init__(
        self,
        loop: Loop,
        path: Path,
        stored: Callable[[Id, int], None],
        ended: Callable[[Session], None],
        closing: Callable[[], bool],
    ) -> None:
        """Connect and greet.

        Args:
            loop: runs the connection.
            path: of the shard's socket.
            stored: told of a slot that became stored, in a process that is followed.
            ended: told, once, that the connection is lost; its tickets have ended by then.
            closing: asked whether this program schedules no more.

        Raises:
            ConnectionLost: nobody of ours listens there.
        """
        self.hello: StageFuture[Hello] = StageFuture()
        self.ended = threading.Event()
        self._on_end = ended
        self._closing = closing
        self._numbers = itertools.count()
        self._tickets: dict[int, Ticket] = {}
        self._questions: dict[int, StageFuture[Any]] = {}
        self._takers: dict[type, Callable[[Any], object]] = {
            Reached: self._reached,
            Failed: self._failed,
            Stored: lambda letter: stored(letter.process, letter.slot),
            Answer: self._answered,
            Refusal: self._refused,
            Hello: self.hello.complete,
        }
        self._connection = Connection(loop, connect(path), self._received, self._lost)
        self._connection.send(pack(Greeting(VERSION)))

    @property
    def busy(self) -> bool:
        """Whether any request is neither stored nor refused."""
        return any(not ticket.stored.done for ticket in tuple(self._tickets.values()))

    def submit(self, message: Verified, deadline: float, ticket: Ticket) -> None:
        """Send a claimed request on its way.

        Raises:
            Recovering: the connection is lost; it was not sent.
            Overloaded: the shard takes too little, or has too much.
        """
        if len(self._tickets) >= MAX_OUTSTANDING:
            raise Overloaded(f"{len(self._tickets)} requests wait for one shard")
        number = next(self._numbers)
        frame = pack(Submit(number, deadline, message))
        self._tickets[number] = ticket
        try:
            self._send(frame)
        except BaseException:
            # Unless the end of the connection has ended it already.
            if self._tickets.pop(number, None) is not None:
                raise

    def ask(self, what: str, *arguments: Any) -> StageFuture[Any]:
        """Ask the shard; the answer completes the future, or its refusal fails it.

        Raises:
            Recovering: the connection is lost.
        """
        number, answer = next(self._numbers), StageFuture[Any]()
        self._questions[number] = answer
        try:
            self._send(pack(Ask(number, what, arguments)))
        except BaseException:
            if self._questions.pop(number, None) is not None:
                raise
        return answer

    def tell(self, letter: Letter) -> None:
        """Send a letter that has no answer.

        Raises:
            Recovering: the connection is lost.
        """
        self._send(pack(letter))

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _send(self, frame: bytes) -> None:
        try:
            self._connection.send(frame)
        except ConnectionLost as exc:
            raise Recovering from exc

    def _received(self, connection: Connection, letter: Letter) -> None:
        take = self._takers.get(type(letter))
        if take is None:
            log.warning("stray_letter", letter=type(letter).__name__)
            connection.close()
        else:
            take(letter)

    def _reached(self, letter: Reached) -> None:
        ticket, stage = self._tickets.get(letter.ticket), letter.stage
        if ticket is None:
            return
        assignment = letter.assignment or _before(ticket, stage)
        # Without one the request has ended here, at its deadline, before it was told of.
        if assignment is not None:
            # Also the stages before, which this one may have overtaken.
            ticket.reach(stage, assignment)
        if stage is Stage.PUBLISHED:
            del self._tickets[letter.ticket]

    def _failed(self, letter: Failed) -> None:
        ticket = self._tickets.get(letter.ticket)
        if ticket is None:
            return
        error = letter.error
        if isinstance(error, Closed) and not self._closing():
            # Only this shard ends: it was signalled to, or fenced. Another life of it comes.
            error = Recovering()
        ticket.future(letter.stage).fail(error)
        if letter.stage is Stage.PUBLISHED:
            del self._tickets[letter.ticket]

    def _answered(self, letter: Answer) -> None:
        question = self._questions.pop(letter.question, None)
        if question is not None:
            question.complete(letter.value)

    def _refused(self, letter: Refusal) -> None:
        question = self._questions.pop(letter.question, None)
        if question is not None:
            question.fail(letter.error)

    def _lost(self, _connection: Connection, reason: BaseException | None) -> None:
        self.ended.set()
        self.hello.fail(reason or ConnectionLost())
        while self._tickets:
            self._tickets.popitem()[1].abandon()
        while self._questions:
            self._questions.popitem()[1].fail(Recovering())
        self._on_end(self)


def _before(ticket: Ticket, stage: Stage) -> Assignment | None:
    """Return the assignment that came with the stage before; None if that failed here."""
    if stage is Stage.ASSIGNED:
        raise MalformedFrame("the first stage comes without an assignment")
    before = ticket.future(Stage(stage - 1))
    return before.get(timeout=0) if before.done and before.error is None else None
