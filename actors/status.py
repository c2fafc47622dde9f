"""What a scheduler says about itself, and about each of its shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from actors.stages import SchedulingMode
from protocol.errors import Closed, Fenced
from protocol.ids import Id
from storage.journal import Reader

ShardState = Literal["ready", "recovering", "closed"]
"""Whether a shard takes messages, will again soon, or has ended for good."""


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """Where one shard stands.

    Attributes:
        number: of the shard, from 0.
        state: whether it takes messages.
        pid: the OS process that it runs in; None while there is none.
        generation: how often it was started; 1 means never again.
        addresses: wallets it signs with.
        queued: requests between acceptance and the store.
        under_way: slots given and not stored.
        live_processes: processes whose actors are in memory.
        commits: transactions since its start.
        stuck: process -> (slot, reason), where the bundler refuses an item for good; of a shard
            in another program the first 500.
        unfit: process -> code, where nothing can be scheduled; likewise the first 10,000.
        fenced: why nothing is signed or written any more, or None.
    """

    number: int
    state: ShardState
    pid: int | None = None
    generation: int = 1
    addresses: tuple[Id, ...] = ()
    queued: int = 0
    under_way: int = 0
    live_processes: int = 0
    commits: int = 0
    stuck: dict[Id, tuple[int, str]] = field(default_factory=dict)
    unfit: dict[Id, str] = field(default_factory=dict)
    fenced: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """Where a scheduler stands: the sums over its shards, and each of them.

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
        shards: each of them, by number; none when this scheduler only reads.
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
    shards: tuple[ShardStatus, ...] = ()


def status_of(
    mode: SchedulingMode,
    reader: Reader,
    shards: Sequence[ShardStatus] = (),
    fence: BaseException | None = None,
) -> Status:
    """Add up what the shards say, and ask the store while it is open.

    Args:
        mode: of the scheduler.
        reader: of the whole store.
        shards: where each of them stands.
        fence: why the scheduler as a whole has ended, if it has.
    """
    processes, unpublished = _counts(reader)
    return Status(
        mode=mode.value,
        addresses=max((shard.addresses for shard in shards), key=len, default=()),
        processes=processes,
        queued=sum(shard.queued for shard in shards),
        under_way=sum(shard.under_way for shard in shards),
        unpublished=unpublished,
        commits=sum(shard.commits for shard in shards),
        stuck={process: where for shard in shards for process, where in shard.stuck.items()},
        unfit={process: code for shard in shards for process, code in shard.unfit.items()},
        fenced=None if fence is None else repr(fence),
        shards=tuple(shards),
    )


def _counts(reader: Reader) -> tuple[int | None, int | None]:
    try:
        unpublished = sum(work.unpublished is not None for work in reader.work())
        return reader.process_count(), unpublished
    except (Closed, Fenced):
        # Why it cannot be asked is what somebody wants to know now.
        return None, None
