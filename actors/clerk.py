"""The clerk: disk work that is neither the actors' nor the committer's."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from actors.committer import Committer
from actors.events import log
from actors.stages import Stage
from actors.ticket import Ticket
from protocol.errors import SchedulerError
from protocol.ids import Id
from protocol.message import Verified
from storage.journal import Body, Journal


class Clerk:
    """Answer from the store, and write large bodies before their slots are given."""

    def __init__(self, journal: Journal, committer: Committer) -> None:
        self._journal = journal
        self._committer = committer
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="clerk")

    def answer(self, ticket: Ticket, process: Id, slot: int) -> None:
        """Complete `ticket` with the stored assignment of a message that came again."""
        self._run(ticket, partial(self._answer, ticket, process, slot))

    def keep_body(self, message: Verified, ticket: Ticket, then: Callable[[], None]) -> None:
        """Write a large body, then go on; if that fails the ticket ends."""
        self._run(ticket, partial(self._keep_body, message, ticket, then))

    def stop(self) -> None:
        """Finish what is queued, then end."""
        self._threads.shutdown(wait=True)

    def _run(self, ticket: Ticket, task: Callable[[], None]) -> None:
        try:
            self._threads.submit(self._try, ticket, task)
        except RuntimeError:
            # The threads have ended: so has the scheduler.
            ticket.abandon()

    def _try(self, ticket: Ticket, task: Callable[[], None]) -> None:
        try:
            task()
        except SchedulerError as exc:
            ticket.fail(exc)

    def _answer(self, ticket: Ticket, process: Id, slot: int) -> None:
        assignment = self._journal.assignment(process, slot)
        ticket.reach(Stage.STORED, assignment)
        ticket.leave()
        self._committer.await_receipt(assignment, ticket)

    def _keep_body(self, message: Verified, ticket: Ticket, then: Callable[[], None]) -> None:
        if ticket.done:
            return
        try:
            self._journal.require_space(len(message.encoded))
            self._journal.keep_body(message.message_id, Body(message.codec, message.encoded))
        except SchedulerError as exc:
            log.failed(exc, message)
            raise
        then()
