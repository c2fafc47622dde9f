"""A shard that answers at once: what is left of a request's way is the way itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import count
from queue import Empty, SimpleQueue

from actors import Stage, Ticket
from actors.deadlines import DeadlineTimer
from bench.bulk import entries
from protocol.assignment import Assignment
from protocol.ids import Id
from protocol.message import Verified
from protocol.wallet import OWNER_BYTES

Request = tuple[Verified, Ticket]


class InstantShard:
    """Give every message a slot and every stage, and store, sign and publish nothing.

    One thread releases all requests that came meanwhile together, one stage after the other,
    as a committer does with what was pinned, signed and acknowledged in one go. It stands in
    for a `Shard` behind a `Service`, and for a `Scheduling` in the program that asks.

    Attributes:
        addresses: of no wallet.
        released: called after each stage of such a group, on that thread.
    """

    def __init__(self) -> None:
        self.addresses: tuple[Id, ...] = ()
        self.released: Callable[[], None] = lambda: None
        self._inbox: SimpleQueue[Request | None] = SimpleQueue()
        self._deadlines = DeadlineTimer()
        self._slots = count()
        self._like = _signed()
        self._thread = threading.Thread(target=self._run, name="instant", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._deadlines.start()
        self._thread.start()

    def close(self) -> None:
        """Answer what was accepted, and end."""
        self._inbox.put(None)
        self._thread.join()
        self._deadlines.stop()

    def ticket(self, patience: float) -> Ticket:
        """Make the ticket of a request."""
        ticket = Ticket(time.monotonic() + patience)
        self._deadlines.watch(ticket)
        return ticket

    def watch(self, ticket: Ticket) -> None:
        """Take the ticket of a request that came from elsewhere."""
        self._deadlines.watch(ticket)

    def submit(self, message: Verified, ticket: Ticket) -> None:
        """Take a request."""
        self._inbox.put((message, ticket))

    def _run(self) -> None:
        while (first := self._inbox.get()) is not None:
            group = [first]
            try:
                while (request := self._inbox.get_nowait()) is not None:
                    group.append(request)
            except Empty:
                request = first
            self._release(group)
            if request is None:
                return

    def _release(self, group: list[Request]) -> None:
        reached = [(ticket, self._assignment(message)) for message, ticket in group]
        for stage in Stage:
            for ticket, assignment in reached:
                ticket.future(stage).complete(assignment)
            self.released()

    def _assignment(self, message: Verified) -> Assignment:
        like = self._like
        return Assignment(
            message.process,
            next(self._slots),
            message.message_id,
            like.link,
            like.timestamp,
            like.block,
            commitments=like.commitments,
        )


def _signed() -> Assignment:
    _, signed, _ = next(entries(bytes(OWNER_BYTES), 1))
    return signed
