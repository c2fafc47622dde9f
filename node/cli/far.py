"""A node reached over HTTP: nothing it says is believed that its signatures do not prove."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Self

import typer

from actors import SchedulingMode
from node.peers.asking import Asking
from node.peers.client import Client
from node.peers.finding import Elsewhere
from node.peers.rules import Rules
from protocol.assignment import VARIANT
from protocol.entry import Entry
from protocol.errors import NotFound, UntrustedSchedule
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
    """One node, asked for schedules of its own; a context manager.

    Every entry it returns is checked: signed by a scheduler that the process's own message
    names, linked to the one before, and holding a message that its sender signed.
    """

    def __init__(self, url: str) -> None:
        """Take the node's URL, which may be of any port and address.

        Raises:
            PeerRefused: it is no URL.
        """
        base = url.rstrip("/")
        self._client = Client(Rules(timeout_seconds=ANSWER_SECONDS).trusting(base))
        self._asking = Asking(self._client)
        self._place = Elsewhere(None, base, VARIANT)

    def slot(self, process: Id) -> int:
        """Return the highest slot, as far as the node shows one that proves itself."""
        return self.entry(process, self._asking.slot(self._place, process)).assignment.slot

    def entries(self, process: Id, first: int = 0, last: int | None = None) -> Iterator[Entry]:
        """Yield slots `first` to `last`, by default to the newest one, in order.

        Raises:
            NotFound: the node does not know the process.
            UntrustedSchedule: what it sent does not prove itself, or a slot is missing.
            PeerFailed, PeerRefused: it cannot be asked.
        """
        newest = self._asking.slot(self._place, process)
        end = newest if last is None else min(last, newest)
        keys, before = self._opening(process).message.keys, None
        while first <= end:
            page = self._asking.page(self._place, process, first, min(end, first + PAGE_LIMIT - 1))
            if not page.entries or page.entries[0].assignment.slot != first:
                raise UntrustedSchedule(f"slot {first} of {process} is missing")
            check(process, page.entries, before, keys)
            yield from page.entries
            before = page.entries[-1]
            first = before.assignment.slot + 1

    def entry(self, process: Id, slot: int) -> Entry:
        """Return one slot. Raises as `entries`."""
        found = next(self.entries(process, slot, slot), None)
        if found is None:
            raise NotFound(f"process {process} has no slot {slot}")
        return found

    def schedule(self, message: Verified, mode: SchedulingMode) -> Entry:
        """Have a message scheduled; return its slot, read back.

        Raises:
            InvalidInput: the node refuses the message.
            OutcomeUnknown: it does not say; ask again with the same message.
            UntrustedSchedule: the slot that it names holds another message.
            And as `entries`: the message may have its slot.
        """
        confirmation = mode.value.removesuffix("_confirmation")
        slot = self._asking.schedule(self._place, message, confirmation)
        entry = self._patiently(message.process, slot)
        if entry.assignment.message_id != message.message_id:
            raise UntrustedSchedule(f"slot {slot} of {message.process} holds another message")
        return entry

    def _patiently(self, process: Id, slot: int) -> Entry:
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                return self.entry(process, slot)
            except NotFound:
                if time.monotonic() > deadline:
                    raise
                time.sleep(RETRY_SECONDS)

    def _opening(self, process: Id) -> Entry:
        page = self._asking.page(self._place, process, 0, 0)
        if not page.entries:
            raise UntrustedSchedule(f"slot 0 of {process} is missing")
        check_opening(process, page.entries[0])
        return page.entries[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
