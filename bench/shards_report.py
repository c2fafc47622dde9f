"""What `bench shards` measured, as tables for people and as JSON for programs."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from bench.report import QUIET, as_json, facts, rounded
from bench.shards import ShardRow, Shards

TABLE_ONLY = ("cpu_us", "cpu_floor_ratio")


def shards_json(found: Shards) -> dict[str, Any]:
    """Return the JSON object of `bench shards`."""
    report = as_json(found)
    for row in report["rows"]:
        for name in TABLE_ONLY:
            del row[name]
    return {
        "cores": report["cores"],
        "floor_per_second": report["floor_per_second"],
        "channel_cpu_us": report["channel"]["cpu_us"],
        "rows": report["rows"],
    }


def channel_table(found: Shards) -> Table:
    """Return the table of what the channel costs."""
    cost = found.channel
    values = {
        "CPU µs, both programs, 64 in flight": cost.cpu_us,
        "  of the same shard in the asking program, taken off": cost.near_cpu_us,
        "CPU µs, one at a time": cost.lone_cpu_us,
        "round trip µs, one at a time": cost.round_trip_us,
        "  of the same shard, taken off": cost.near_us,
    }
    return facts("the channel, for each scheduled message, all three stages", [rounded(values)])


def rows_table(found: Shards) -> Table:
    """Return the table of the rows."""
    floor = found.floor_per_second
    beside = "nothing signed" if floor is None else f"crypto floor {floor:,.0f} a second"
    table = Table(title=f"{found.cores} cores, {beside}", title_justify="left")
    table.caption_justify = "left"
    table.caption = (
        "no-op: NOTHING SIGNED. A signer that only counts gives out numbers, one for each "
        "assignment; messages are verified as always. It shows what is left when signing is free."
    )
    if found.disturbed > QUIET:
        table.caption += f"\nDisturbed: others used {found.disturbed:.0%} of the cores. Repeat it."
    table.add_column("signer")
    for name in ("shards", "processes", "in flight", "per second", "of floor", "of shards 0"):
        table.add_column(name, justify="right")
    for name in ("CPU µs", "of CPU floor"):
        table.add_column(name, justify="right")
    for row in found.rows:
        table.add_row(*_cells(row, found))
    return table


def _cells(row: ShardRow, found: Shards) -> list[str]:
    embedded = _embedded(row, found)
    return [
        row.signer,
        str(row.shards),
        str(row.processes),
        str(row.in_flight),
        f"{row.per_second:,.0f}",
        _ratio(row.floor_ratio),
        _ratio(row.per_second / embedded.per_second if embedded else None),
        f"{row.cpu_us:,.0f}",
        _ratio(row.cpu_floor_ratio),
    ]


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _embedded(row: ShardRow, found: Shards) -> ShardRow | None:
    same = (row.signer, 0, row.processes, row.in_flight)
    of = {(r.signer, r.shards, r.processes, r.in_flight): r for r in found.rows}
    return of.get(same)
