"""What is still to be published: which slot next, what failed, and when to try again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from actors.settings import PublishSettings
from protocol.ids import Id
from storage.journal import Receipt

Slot = tuple[Id, int]


@dataclass(slots=True)
class Trouble:
    """Why one slot is not published yet.

    Attributes:
        tries: failures so far.
        reason: what the last one said.
        final: whether the bundler refused the item for good.
        waiting: False while it is being tried again.
    """

    tries: int
    reason: str
    final: bool
    waiting: bool = True


@dataclass(slots=True)
class OutboxLane:
    """The unpublished slots of one process.

    Attributes:
        next: lowest slot that was never handed out.
        last: highest stored slot known.
        watermark: lowest slot whose receipt was not given back yet.
        durable: lowest slot whose receipt is not durable yet.
        receipts: acknowledged slots that wait for an earlier one.
        troubles: slots that failed and were not acknowledged since.
        not_before: monotonic seconds before which nothing is handed out.
    """

    next: int
    last: int
    watermark: int
    durable: int
    receipts: dict[int, Receipt] = field(default_factory=dict)
    troubles: dict[int, Trouble] = field(default_factory=dict)
    not_before: float = 0.0

    def hand_out(self, limit: int) -> list[int]:
        """Return the slots to upload now: failed ones alone, until none is left."""
        if not self.troubles:
            slots = list(range(self.next, min(self.last + 1, self.next + limit)))
            self.next += len(slots)
            return slots
        slots = sorted(slot for slot, trouble in self.troubles.items() if trouble.waiting)[:limit]
        for slot in slots:
            self.troubles[slot].waiting = False
        return slots


class Outbox:
    """Hand out slots to upload, in order, and give receipts back in order.

    After a failure a process hands out nothing until its wait is over, and then only what
    failed. So its receipts never pass an unpublished slot, and what waits behind one is
    bounded by what was under way when it failed. Other processes go on.
    """

    def __init__(self, settings: PublishSettings, jitter: Callable[[], float]) -> None:
        """Start empty.

        Args:
            settings: limits and waits.
            jitter: returns a factor for each wait, at least 1.
        """
        self._settings = settings
        self._jitter = jitter
        # The lane at the front is asked first and then goes to the end.
        self._lanes: OrderedDict[Id, OutboxLane] = OrderedDict()

    def __len__(self) -> int:
        return len(self._lanes)

    def __contains__(self, process: object) -> bool:
        return process in self._lanes

    @property
    def full(self) -> bool:
        """Whether no further process is taken in."""
        return len(self._lanes) >= self._settings.max_lanes

    def extend(self, process: Id, last: int) -> None:
        """Learn that a process in here has stored slots up to `last`."""
        lane = self._lanes[process]
        lane.last = max(lane.last, last)

    def open(self, process: Id, first: int, last: int) -> None:
        """Take in a process: slots `first`..`last` are stored and have no receipt."""
        self._lanes[process] = OutboxLane(first, last, watermark=first, durable=first)

    def take(self, now: float, limit: int) -> list[Slot]:
        """Hand out at most `limit` slots to upload now, fairly over the processes."""
        taken: list[Slot] = []
        for _ in range(len(self._lanes)):
            if len(taken) >= limit:
                break
            process, lane = next(iter(self._lanes.items()))
            self._lanes.move_to_end(process)
            if lane.not_before <= now:
                taken += [(process, slot) for slot in lane.hand_out(limit - len(taken))]
        return taken

    def acknowledged(self, receipt: Receipt) -> list[Receipt]:
        """Take a receipt; return those that are now in order, oldest first."""
        lane = self._lanes[receipt.process]
        lane.troubles.pop(receipt.slot, None)
        lane.receipts[receipt.slot] = receipt
        ready: list[Receipt] = []
        while (following := lane.receipts.pop(lane.watermark, None)) is not None:
            ready.append(following)
            lane.watermark += 1
        return ready

    def settled(self, process: Id, slot: int) -> None:
        """Learn that the receipts up to `slot` are durable; forget what is finished."""
        lane = self._lanes[process]
        lane.durable = slot + 1
        if lane.durable > lane.last:
            del self._lanes[process]

    def failed(self, slot: Slot, now: float, *, reason: str, final: bool) -> float:
        """Take a failure; return the seconds to wait before the next try."""
        lane = self._lanes[slot[0]]
        before = lane.troubles.get(slot[1])
        tries = before.tries + 1 if before else 1
        lane.troubles[slot[1]] = Trouble(tries, reason, final)
        limit = self._settings.backoff_limit_seconds
        doubled = self._settings.backoff_seconds * 2.0 ** min(tries - 1, 30)
        wait = limit if final else min(limit, doubled * self._jitter())
        lane.not_before = max(lane.not_before, now + wait)
        return wait

    def next_try(self) -> float | None:
        """Monotonic seconds at which the first waiting process may try again, or None."""
        waits = (
            lane.not_before
            for lane in self._lanes.values()
            if any(trouble.waiting for trouble in lane.troubles.values())
        )
        return min(waits, default=None)

    def stuck(self) -> dict[Id, tuple[int, str]]:
        """For each process with a refused item: the slot and what the bundler said."""
        return {
            process: (slot, trouble.reason)
            for process, lane in list(self._lanes.items())
            for slot, trouble in sorted(lane.troubles.items(), reverse=True)
            if trouble.final
        }
