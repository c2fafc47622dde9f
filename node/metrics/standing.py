"""Where a scheduler stands, asked at each scrape: so nothing is counted twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from actors import Scheduler
from actors.status import ShardStatus, Status
from protocol.errors import Closed, Fenced

MEANINGS = {
    "queued_requests": "Requests between acceptance and the store.",
    "queued_bytes": "Bytes of their messages.",
    "slots_to_sign": "Slots that no signer has begun with.",
    "slots_not_stored": "Slots given and not stored: how far the store is behind the head.",
    "slots_not_published": "Slots stored that have no receipt: how far the bundler is behind the "
    "store.",
    "live_processes": "Processes kept in memory.",
    "processes": "Processes in the store.",
    "stuck_processes": "Processes with an item that the bundler refuses.",
    "unfit_processes": "Processes that cannot be scheduled, for what their records say.",
    "followers": "Subscriptions to stored slots, such as event streams.",
    "fenced": "1 once nothing is signed or written any more.",
}

OF_SHARDS = {
    "shard_ready": "1 while this shard takes messages.",
    "shard_starts": "How often this shard was started.",
    "shard_queued_requests": "Requests between acceptance and the store, in this shard.",
    "shard_slots_not_stored": "Slots given and not stored, in this shard.",
    "shard_live_processes": "Processes that this shard keeps in memory.",
    "shard_commits": "Transactions of this shard since it was started last.",
    "shard_fenced": "1 once this shard signs and writes nothing any more.",
}
"""By the label `shard`, its number. An embedded scheduler is one shard."""


class Standing(Collector):
    """The numbers of this moment."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked before the first scrape."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Ask now; what a closed store cannot tell any more is left out."""
        status = self._scheduler.status()
        for name, value in self._numbers(status).items():
            if value is not None:
                yield GaugeMetricFamily(f"ao_{name}", MEANINGS[name], value=float(value))
        shards = [(str(shard.number), _numbers_of(shard)) for shard in status.shards]
        for name, meaning in OF_SHARDS.items():
            family = GaugeMetricFamily(f"ao_{name}", meaning, labels=("shard",))
            for number, numbers in shards:
                family.add_metric((number,), numbers[name])
            yield family

    def _numbers(self, status: Status) -> dict[str, float | None]:
        load = self._scheduler.load()
        return {
            "queued_requests": load.queued,
            "queued_bytes": load.queued_bytes,
            "slots_to_sign": load.to_sign,
            "slots_not_stored": load.under_way,
            "slots_not_published": self._not_published(),
            "live_processes": load.live_processes,
            "processes": status.processes,
            "stuck_processes": len(status.stuck),
            "unfit_processes": len(status.unfit),
            "followers": load.followers,
            "fenced": status.fenced is not None,
        }

    def _not_published(self) -> int | None:
        try:
            totals = self._scheduler.totals()
        except (Closed, Fenced):
            return None
        return totals.stored - totals.published


def _numbers_of(shard: ShardStatus) -> dict[str, float]:
    return {
        "shard_ready": shard.state == "ready",
        "shard_starts": shard.generation,
        "shard_queued_requests": shard.queued,
        "shard_slots_not_stored": shard.under_way,
        "shard_live_processes": shard.live_processes,
        "shard_commits": shard.commits,
        "shard_fenced": shard.fenced is not None,
    }
