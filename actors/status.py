"""What a scheduler says about itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from actors.shard import Shard
from actors.stages import SchedulingMode
from protocol.errors import Closed, Fenced
from protocol.ids import Id
from storage.journal import Reader


@dataclass(frozen=True, slots=True)
class Status:
    """Where a scheduler stands.

    Attributes:
        mode: the confirmation mode, by its value.
        addresses: wallets it signs with.
        processes: how many the store holds; None once it cannot be asked any more.
        queued: requests between acceptance and the store.
        under_way: slots given and not stored.
        unpublished: processes with stored slots that have no receipt (at most 1000 counted),
            or None likewise.
        commits: transactions since the start.
        stuck: process -> (slot, reason), where the bundler refuses an item for good.
        unfit: process -> code, where nothing can be scheduled.
        fenced: why nothing is signed or written any more, or None.
    """

    mode: str
    addresses: tuple[Id, ...] = ()
    processes: int | None = None
    queued: int = 0
    under_way: int = 0
    unpublished: int | None = None
    commits: int = 0
    stuck: dict[Id, tuple[int, str]] = field(default_factory=dict)
    unfit: dict[Id, str] = field(default_factory=dict)
    fenced: str | None = None


def status_of(reader: Reader, shard: Shard | None, mode: SchedulingMode) -> Status:
    """Ask the store while it is open, and the shard if there is one."""
    processes, unpublished = _counts(reader)
    if shard is None:
        return Status(mode.value, processes=processes, unpublished=unpublished)
    return Status(
        mode=mode.value,
        addresses=shard.addresses,
        processes=processes,
        queued=shard.queued,
        under_way=shard.committer.under_way,
        unpublished=unpublished,
        commits=shard.committer.commits,
        stuck=shard.publisher.stuck(),
        unfit={process: reason.code for process, reason in shard.unfit.items()},
        fenced=None if shard.fence is None else repr(shard.fence),
    )


def _counts(reader: Reader) -> tuple[int | None, int | None]:
    try:
        unpublished = sum(work.unpublished is not None for work in reader.work())
        return reader.process_count(), unpublished
    except (Closed, Fenced):
        # Why it cannot be asked is what somebody wants to know now.
        return None, None
