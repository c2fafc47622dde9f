"""What a scheduler schedules with: one shard in this program, or several in others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import pykka

from actors.load import Load
from actors.status import ShardStatus
from actors.ticket import Ticket
from protocol.ids import Id
from protocol.message import Verified


class Scheduling(Protocol):
    """Take messages to their slots. Safe to use from many threads."""

    @property
    def closed(self) -> bool:
        """Whether nothing is accepted any more."""

    @property
    def fence(self) -> BaseException | None:
        """Why it ended without being closed, or None."""

    @property
    def load(self) -> Load:
        """How much is under way, over all shards."""

    @property
    def shards(self) -> Sequence[ShardStatus]:
        """Where each shard stands, by number."""

    @property
    def registry(self) -> pykka.ActorRef[Any]:
        """The registry actor, where it lives in this program.

        Raises:
            UnsupportedValue: the actors live in other programs.
        """

    def ticket(self, patience: float) -> Ticket:
        """Make the ticket of one request, which ends after `patience` seconds."""

    def submit(self, message: Verified, ticket: Ticket) -> None:
        """Send a message on its way. Waits for nothing.

        Raises:
            Overloaded: the queue is full.
            Recovering: its shard is starting again.
            Closed: nothing is accepted any more.
        """

    def follow(self, process: Id, follower: Callable[[int], None]) -> Callable[[], None]:
        """Call `follower` after each stored slot of `process`; return what ends that."""

    def backfill(self, process: Id, from_slot: int) -> int:
        """Upload published slots from `from_slot` on again; return how many.

        Raises:
            UploadFailed, UploadRefused: at the first slot that the bundler does not take.
        """

    def close(self) -> None:
        """Accept nothing more, finish what is under way, and give everything up. Idempotent."""
