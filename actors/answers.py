"""Answers from the store, and bodies into it: disk work kept off the actors' threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from actors.committer import Committer
from actors.stages import Stage
from actors.ticket import Ticket
from protocol.errors import SchedulerError
from protocol.ids import Id
from protocol.message import Verified
from storage.journal import Body, Journal

LARGE_BODY = 1 << 20
"""Bytes from which a message is a file of its own, written before its slot is given."""


class Clerk:
    """Do what needs the disk and is not the committer's."""

    def __init__(self, journal: Journal, committer: Committer) -> None:
        self._journal = journal
        self._committer = committer
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="clerk")

    def answer(self, ticket: Ticket, process: Id, slot: int) -> None:
        """Complete `ticket` with the stored assignment of a message that came again."""
        self._threads.submit(self._answer, ticket, process, slot)

    def keep_body(self, message: Verified, ticket: Ticket, then: Callable[[], None]) -> None:
        """Write a large body, then go on; if that fails the ticket ends."""
        self._threads.submit(self._keep_body, message, ticket, then)

    def stop(self) -> None:
        """Finish what is queued, then end."""
        self._threads.shutdown(wait=True)

    def _answer(self, ticket: Ticket, process: Id, slot: int) -> None:
        try:
            assignment = self._journal.assignment(process, slot)
        except SchedulerError as exc:
            ticket.fail(exc)
            return
        ticket.reach(Stage.STORED, assignment)
        ticket.leave()
        self._committer.await_receipt(assignment, ticket)

    def _keep_body(self, message: Verified, ticket: Ticket, then: Callable[[], None]) -> None:
        try:
            self._journal.keep_body(message.message_id, Body(message.codec, message.encoded))
        except SchedulerError as exc:
            ticket.fail(exc)
        else:
            then()
