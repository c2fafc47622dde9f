"""A node reached over HTTP: nothing it says is believed that its signatures do not prove."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Self

import typer

from actors import SchedulingMode, Stage
from node.peers.asking import Asking
from node.peers.client import Client
from node.peers.finding import Elsewhere
from node.peers.rules import Rules
from protocol.assignment import VARIANT
from protocol.entry import Entry
from protocol.errors import NotFound, OutcomeUnknown, PeerTooLarge, UntrustedSchedule
from protocol.ids import Id
from protocol.message import Verified
from protocol.schedule_check import check, check_opening
from storage.journal import PAGE_LIMIT

ANSWER_SECONDS = 30.0
"""More than a node takes to answer a request to schedule, whatever the confirmation."""
RETRY_SECONDS = 0.05
"""An answer of the aggressive kind comes before the slot can be read."""

NodeUrl = Annotated[
    str,
    typer.Option("--node", metavar="URL", show_default="the store", help="Ask this node instead."),
]


class FarNode:
    """One node, asked for schedules; a context manager.

    Every entry it returns is checked: signed by a scheduler that the process's own message
    names, linked to the one before, and holding a message that its sender signed. That there
    is nothing after the newest slot is the one thing that nobody can prove.
    """

    def __init__(self, url: str, *, patience_seconds: float = ANSWER_SECONDS) -> None:
        """Take the node's URL, which may be of any port and address.

        Args:
            url: with or without a slash at the end.
            patience_seconds: how long a slot that was given may take until it can be read.

        Raises:
            PeerRefused: it is no URL.
        """
        base = url.rstrip("/")
        self._client = Client(Rules(timeout_seconds=ANSWER_SECONDS).trusting(base))
        self._asking = Asking(self._client)
        self._place = Elsewhere(None, base, VARIANT)
        self._patience = patience_seconds

    def newest(self, process: Id) -> int:
        """Return the highest slot that the node says it has.

        Raises:
            NotFound: it does not know the process.
            UntrustedSchedule: its answer makes no sense.
            PeerFailed, PeerRefused: it cannot be asked.
        """
        slot = self._asking.slot(self._place, process)
        if slot < 0:
            raise NotFound(f"the node has no slot of process {process}")
        return slot

    def slot(self, process: Id) -> int:
        """Return the highest slot, once the node has shown it. Raises as `newest`, `entries`."""
        return self.entry(process, self.newest(process)).assignment.slot

    def entry(self, process: Id, slot: int) -> Entry:
        """Return one slot; what came before it stays unproven. Raises as `entries`."""
        (found,) = self.entries(process, slot, slot)
        return found

    def entries(self, process: Id, first: int, last: int) -> Iterator[Entry]:
        """Yield slots `first` to `last` in order, all of them.

        Raises:
            UntrustedSchedule: a slot is missing or does not prove itself; says which one.
            PeerFailed, PeerRefused: the node cannot be asked.
        """
        (opening,) = self._page(process, 0, 0)
        check_opening(process, opening)
        before = opening if first <= 1 else None
        if first == 0 <= last:
            yield opening
            first = 1
        while first <= last:
            page = self._page(process, first, last)
            check(process, page, before, opening.message.keys)
            yield from page
            before = page[-1]
            first = before.assignment.slot + 1

    def schedule(self, message: Verified, mode: SchedulingMode) -> tuple[Entry, Stage]:
        """Have a message scheduled; return its slot, read back, and the stage it reached.

        What can be read back is stored. That it is published, the node only says.

        Raises:
            InvalidInput: the node refuses the message.
            OutcomeUnknown: it does not say what became of it; ask again with the same message.
            UntrustedSchedule: the slot that it names holds another message.
            And as `newest` and `entries`: the message may have its slot.
        """
        confirmation = mode.value.removesuffix("_confirmation")
        given = self._asking.schedule(self._place, message, confirmation)
        self._wait_for(message.process, given.slot)
        entry = self.entry(message.process, given.slot)
        if entry.assignment.message_id != message.message_id:
            raise UntrustedSchedule(f"slot {given.slot} of {message.process} has another message")
        return entry, Stage.PUBLISHED if given.confirmation == "remote" else Stage.STORED

    def _page(self, process: Id, first: int, last: int) -> Sequence[Entry]:
        # As many slots from the first one on as come at once; large messages are fewer.
        end = min(last, first + PAGE_LIMIT - 1)
        try:
            found = self._asking.page(self._place, process, first, end).entries
        except PeerTooLarge:
            if first == end:
                raise
            return self._page(process, first, (first + end) // 2)
        except (NotFound, UntrustedSchedule) as exc:
            raise UntrustedSchedule(f"slot {first} of {process}: {exc.detail}") from exc
        if not found or found[0].assignment.slot != first:
            raise UntrustedSchedule(f"slot {first} of {process} is missing")
        return found[: end - first + 1]

    def _wait_for(self, process: Id, slot: int) -> None:
        deadline = time.monotonic() + self._patience
        while not self._shows(process, slot):
            if time.monotonic() > deadline:
                raise OutcomeUnknown(f"the node gave slot {slot} of {process}, and shows none")
            time.sleep(RETRY_SECONDS)

    def _shows(self, process: Id, slot: int) -> bool:
        try:
            return self.newest(process) >= slot
        except NotFound:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
