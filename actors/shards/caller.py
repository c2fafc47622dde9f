"""One program that schedules in this shard, at the other end of a connection."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from actors.channel.connection import Connection
from actors.channel.errors import ConnectionLost
from actors.channel.letters import (
    VERSION,
    Answer,
    Ask,
    Failed,
    Follow,
    Greeting,
    Letter,
    Reached,
    Refusal,
    Stored,
    Submit,
    Unfollow,
    pack,
)
from actors.events import log
from actors.futures import StageFuture
from actors.shard import Shard
from actors.shards.answers import packed_load, packed_status
from actors.stages import Stage
from actors.ticket import Ticket
from protocol.assignment import Assignment
from protocol.errors import MalformedFrame, Overloaded, SchedulerError, UnsupportedValue
from protocol.ids import Id

Outcome = StageFuture[Assignment]


class Host(Protocol):
    """What all callers of a shard share.

    Attributes:
        shard: where they schedule.
        number: of the shard.
        generation: how often it was started.
        questions: works on what takes its time.
    """

    shard: Shard
    number: int
    generation: int
    questions: Executor

    def has(self, process: Id) -> bool:
        """Tell whether a process belongs to this shard."""

    def tell(self, connection: Connection, frame: bytes) -> None:
        """Send a frame, from some threads with others that come right after it."""


class Caller:
    """Do what one connection asks for. Letters are taken on the channel's thread."""

    def __init__(self, host: Host, connection: Connection) -> None:
        self._host = host
        self._connection = connection
        self._shard = host.shard
        self._following: dict[Id, Callable[[], None]] = {}

    def take(self, letter: Letter) -> None:
        """Serve one letter; returns at once.

        Raises:
            MalformedFrame: it is for another shard; what it asks for is not done.
        """
        match letter:
            case Submit():
                self._submit(letter)
            case Follow(process):
                self._follow(process)
            case Unfollow(process):
                self._unfollow(process)
            case Ask(what="backfill"):
                self._host.questions.submit(self._answer, letter)
            case Ask():
                self._answer(letter)
            case Greeting(version) if version == VERSION:
                return
            case _:
                log.warning("stray_letter", letter=type(letter).__name__)
                self._connection.close()

    def gone(self) -> None:
        """Forget a caller that is no more; what it submitted goes on."""
        for process in list(self._following):
            self._unfollow(process)

    def _submit(self, letter: Submit) -> None:
        if not self._host.has(letter.message.process):
            # Two shards with one process would give its slots twice.
            raise MalformedFrame("a message is for a process of another shard")
        ticket = Ticket(letter.deadline)
        passage = Passage(self._tell, letter.ticket)
        ticket.assigned.add_done_callback(passage.assigned)
        ticket.stored.add_done_callback(passage.stored)
        ticket.published.add_done_callback(passage.published)
        self._shard.watch(ticket)
        try:
            self._shard.submit(letter.message, ticket)
        except SchedulerError as exc:
            ticket.fail(exc)

    def _follow(self, process: Id) -> None:
        if process in self._following:
            return
        tell = partial(self._tell_stored, process)
        self._following[process] = self._shard.follow(process, tell)
        # What was stored before the subscription was made, and after it was asked for.
        with suppress(SchedulerError):
            tell(self._shard.journal.head(process).stored)

    def _unfollow(self, process: Id) -> None:
        part = self._following.pop(process, None)
        if part is not None:
            part()

    def _tell_stored(self, process: Id, slot: int) -> None:
        self._tell(pack(Stored(process, slot)))

    def _answer(self, question: Ask) -> None:
        try:
            answer = pack(Answer(question.question, self._value(question)))
        except SchedulerError as exc:
            answer = pack(Refusal(question.question, exc))
        except Exception as exc:
            log.exception("question_failed", what=question.what)
            answer = pack(Refusal(question.question, SchedulerError(repr(exc))))
        self._tell(answer)

    def _value(self, question: Ask) -> Any:
        match question.what, question.arguments:
            case "load", ():
                return packed_load(self._shard.load)
            case "status", ():
                host = self._host
                return packed_status(self._shard.standing(host.number, host.generation))
            case "backfill", (process, from_slot):
                return self._shard.backfill(Id(process), from_slot)
            case _:
                raise UnsupportedValue(f"nobody here answers {question.what!r}")

    def _tell(self, frame: bytes) -> None:
        try:
            self._host.tell(self._connection, frame)
        except ConnectionLost:
            return
        except Overloaded:
            # It takes nothing any more; what it does not learn it has to ask again.
            log.warning("caller_too_slow")
            self._connection.close()


class Passage:
    """Pass the outcome of each stage of one ticket on, each with its assignment but once.

    Stages may come from several threads, and then overtake each other.
    """

    __slots__ = ("_number", "_tell", "_told")

    def __init__(self, tell: Callable[[bytes], None], number: int) -> None:
        self._tell = tell
        self._number = number
        # What is on its way already, replaced as a whole: a stage and its assignment.
        self._told: tuple[int, Assignment | None] = (0, None)

    def assigned(self, future: Outcome) -> None:
        """Pass the first stage on, with the assignment."""
        self._pass(Stage.ASSIGNED, future)

    def stored(self, future: Outcome) -> None:
        """Pass the second stage on, with the assignment if the first did not bring the same."""
        self._pass(Stage.STORED, future)

    def published(self, future: Outcome) -> None:
        """Pass the third stage on, likewise."""
        self._pass(Stage.PUBLISHED, future)

    def _pass(self, stage: Stage, future: Outcome) -> None:
        error = future.error
        if isinstance(error, SchedulerError):
            self._tell(pack(Failed(self._number, stage, error)))
            return
        assignment = future.get(timeout=0)
        before, told = self._told
        known = told is assignment and before == stage - 1
        self._tell(pack(Reached(self._number, stage, None if known else assignment)))
        self._told = stage, assignment
