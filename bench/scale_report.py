"""What `bench scale` measured, as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.table import Table

from bench.report import QUIET, facts, rounded
from bench.scale import Scale
from bench.scale_run import Run


def scale_tables(found: Scale) -> Iterator[Table]:
    """Yield the store, then both fresh programs side by side."""
    store = {
        "processes": found.processes,
        "shards": found.shards,
        "MB on disk": found.store_mb,
        "written per second": found.written_per_second or "made before",
    }
    yield facts("store", [rounded(store)])
    runs = {"cold": found.cold, "warm": found.warm}
    columns = [rounded({"page cache": name, **_facts(run)}) for name, run in runs.items()]
    table = facts("in a fresh program", columns)
    if found.disturbed > QUIET:
        table.caption = f"Disturbed: others used {found.disturbed:.0%} of the cores. Repeat it."
    yield table


def _facts(run: Run) -> dict[str, Any]:
    opening, latency, uniform = run.opening, run.latency, run.uniform
    return {
        "seconds until ready": opening.seconds,
        "  from the start of the program": opening.program_seconds,
        "  and the first assignment": opening.first_seconds,
        "live processes": _listed(run.live_processes),
        "MB of each shard": _listed(memory.rss for memory in run.live),
        "  its own, without pages of files": _listed(memory.own for memory in run.live),
        "cold process p50, p99 ms": _listed([latency.cold_p50_ms, latency.cold_p99_ms]),
        "warm process p50, p99 ms": _listed([latency.warm_p50_ms, latency.warm_p99_ms]),
        "cold to warm": latency.cold_to_warm,
        "assignments per second over all": uniform.per_second,
        "  of the crypto floor": uniform.floor_ratio,
        "  CPU µs beyond the floor": uniform.cpu_us_beyond_floor,
        "MB of each shard then": _listed(memory.rss for memory in run.afterwards),
        "  its own": _listed(memory.own for memory in run.afterwards),
    }


def _listed(values: Iterable[float]) -> str:
    return ", ".join(f"{rounded(value):,}" for value in values)
