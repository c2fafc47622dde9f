"""What `bench http` measured, as a table for people."""

from __future__ import annotations

from rich.table import Table

from bench.http_rows import Http, HttpRow
from bench.report import short


def http_table(found: Http) -> Table:
    """Return the table of `bench http`."""
    floor = f"{found.cores} cores, crypto floor {found.floor_per_second:,.0f} a second"
    table = Table(title=floor, title_justify="left")
    table.add_column("request", no_wrap=True)
    for name in ("HTTP", "connections", "per second", "of floor", "p50 ms", "p95 ms", "p99 ms"):
        table.add_column(name, justify="right")
    for name in ("server CPU µs", "signature", "rest", "of CPU floor"):
        table.add_column(name, justify="right")
    for row in found.rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: HttpRow) -> list[str]:
    return [
        short(row.what) if row.slots is None else f"page of {row.slots:,}",
        str(row.http),
        str(row.connections),
        f"{row.per_second:,.0f}",
        _said(row.floor_ratio, 2),
        *(f"{ms:.2f}" for ms in (row.p50_ms, row.p95_ms, row.p99_ms)),
        *(_said(us, 0) for us in (row.server_cpu_us, row.signature_cpu_us, row.rest_cpu_us)),
        _said(row.cpu_bound_ratio, 2),
    ]


def _said(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
