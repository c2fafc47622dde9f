"""The pieces a verification is cut into; each is checked by one worker, in any order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.ids import ID_BYTES, Id
from storage.verify.report import Findings

PART_SLOTS = 256
"""Slots in one part, and in one batch of small processes: some 50 ms of work. Enough to
spread one process over all cores, and few enough to hold in memory."""

_ID_SPACE = 8 * ID_BYTES


class Size(NamedTuple):
    """A process and how many slots are to be checked."""

    process: Id
    slots: int


@dataclass(frozen=True, slots=True)
class Part:
    """Slots `first`..`last` of one process, and its share of the process's index.

    Message IDs are spread evenly, so equal ranges of them are equal shares: this part has
    those above `after`, up to and with `until`.
    """

    process: Id
    first: int
    last: int
    after: bytes
    until: bytes


@dataclass(frozen=True, slots=True)
class Foundation:
    """What belongs to no process: the database file, totals, public keys."""

    shard: int

    def split(self) -> tuple[Task, ...]:
        """Nothing smaller can be tried."""
        return ()

    def __str__(self) -> str:
        return f"the file of shard {self.shard}"


@dataclass(frozen=True, slots=True)
class Survey:
    """A page of heads from the first above `after`, or the head of `only`."""

    shard: int
    after: Id | None = None
    only: Id | None = None

    def split(self) -> tuple[Task, ...]:
        """Nothing smaller can be tried."""
        return ()

    def __str__(self) -> str:
        place = f"above {self.after}" if self.after else "from the first"
        return f"the heads of shard {self.shard} {place}"


@dataclass(frozen=True, slots=True)
class Batch:
    """Parts that are worth sending together."""

    shard: int
    parts: tuple[Part, ...]

    @property
    def slots(self) -> int:
        """How many slots it covers."""
        return sum(part.last - part.first + 1 for part in self.parts)

    def split(self) -> tuple[Task, ...]:
        """Return its parts as batches of their own, unless it is a single part."""
        if len(self.parts) == 1:
            return ()
        return tuple(Batch(self.shard, (part,)) for part in self.parts)

    def __str__(self) -> str:
        first = self.parts[0]
        more = f" and {len(self.parts) - 1} more" if len(self.parts) > 1 else ""
        return f"slots {first.first}..{first.last} of process {first.process}{more}"


Task = Foundation | Survey | Batch


@dataclass(frozen=True, slots=True)
class Page:
    """What a survey found.

    Attributes:
        shard: where.
        sizes: the processes whose slots can be checked.
        after: the last process of the page when there are more, else None.
        total: slots in the whole shard, or of the one process.
    """

    shard: int
    sizes: list[Size]
    after: Id | None
    total: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task.

    Attributes:
        findings: what was found.
        page: of a survey.
        again: smaller tasks to do instead of one that killed its worker.
        slots: slots that are done with.
    """

    findings: Findings = field(default_factory=Findings)
    page: Page | None = None
    again: tuple[Task, ...] = ()
    slots: int = 0


def batches(page: Page) -> Iterator[Batch]:
    """Cut a page of processes into batches of about `PART_SLOTS` slots, one at a time."""
    parts: list[Part] = []
    slots = 0
    for part in _parts(page.sizes):
        parts.append(part)
        slots += part.last - part.first + 1
        if slots >= PART_SLOTS:
            yield Batch(page.shard, tuple(parts))
            parts, slots = [], 0
    if parts:
        yield Batch(page.shard, tuple(parts))


def _parts(sizes: Iterable[Size]) -> Iterator[Part]:
    for process, slots in sizes:
        count = -(-slots // PART_SLOTS)
        for number in range(count):
            first = number * PART_SLOTS
            last = min(first + PART_SLOTS, slots) - 1
            after = _id_below(number, count) if number else b""
            yield Part(process, first, last, after, _id_below(number + 1, count))


def _id_below(number: int, count: int) -> bytes:
    """The highest message ID of the first `number` of `count` equal ranges."""
    return ((number << _ID_SPACE) // count - 1).to_bytes(ID_BYTES, "big")
