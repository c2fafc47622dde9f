"""What was measured, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.modes import Modes, Row

SHOWN_DIGITS = 4
"""Significant digits in the JSON: what lies below is noise."""


def modes_json(found: Modes) -> dict[str, Any]:
    """Return the JSON object of `bench modes`; it says so when there was no cryptography."""
    report: dict[str, Any] = rounded(asdict(found))
    if found.crypto:
        del report["crypto"]
    return report


def modes_table(found: Modes) -> Table:
    """Return the table of `bench modes`."""
    table = Table(title=title(found), title_justify="left", caption_justify="left")
    table.add_column("confirmation")
    for name in ("processes", "in flight", "per second", "of floor"):
        table.add_column(name, justify="right")
    for name in ("p50 ms", "p95 ms", "p99 ms", "CPU µs beyond floor"):
        table.add_column(name, justify="right")
    for row in found.rows:
        table.add_row(*cells(row))
    return table


def title(found: Modes) -> str:
    """Say what the numbers of `bench modes` are to be compared with."""
    if not found.crypto:
        return f"WITHOUT CRYPTOGRAPHY: nothing signed, nothing verified; {found.cores} cores"
    return (
        f"{found.cores} cores, crypto floor {found.floor_per_second:,.0f} a second, "
        f"one signature {found.signature_ms:.2f} ms"
    )


def cells(row: Row) -> list[str]:
    """One line of the table."""
    return [
        short(row.mode),
        str(row.processes),
        str(row.in_flight),
        f"{row.per_second:,.0f}",
        "-" if row.floor_ratio is None else f"{row.floor_ratio:.2f}",
        *(f"{ms:.2f}" for ms in (row.p50_ms, row.p95_ms, row.p99_ms)),
        f"{row.cpu_us_beyond_floor:.0f}",
    ]


def short(mode: str) -> str:
    """The name of a mode as it fits a table."""
    return mode.removesuffix("_confirmation")


def rounded(value: Any) -> Any:
    """Return the same JSON value with floats cut to what they are worth."""
    match value:
        case float():
            return float(f"{value:.{SHOWN_DIGITS}g}")
        case dict():
            return {key: rounded(inner) for key, inner in value.items()}
        case list() | tuple():
            return [rounded(inner) for inner in value]
        case _:
            return value


def write_json(file: Path, report: dict[str, Any]) -> None:
    """Write a report, one field a line."""
    file.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
