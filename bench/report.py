"""What was measured, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from bench.modes import Modes, Row

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SHOWN_DIGITS = 4
"""Significant digits in the JSON: what lies below is noise."""

QUIET = 0.05
"""Part of all cores that others may use before ratios can no longer be trusted."""

TABLE_ONLY = ("commit_ms", "disturbed")


def modes_json(found: Modes) -> dict[str, Any]:
    """Return the JSON object of `bench modes`; it says so when there was no cryptography."""
    report = as_json(found)
    for name in TABLE_ONLY:
        del report[name]
    if found.crypto:
        del report["crypto"]
    return report


def modes_table(found: Modes) -> Table:
    """Return the table of `bench modes`."""
    table = Table(title=title(found), title_justify="left", caption_justify="left")
    if found.disturbed > QUIET:
        table.caption = f"Disturbed: others used {found.disturbed:.0%} of the cores. Repeat it."
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
    machine = f"{found.cores} cores, one commit {found.commit_ms:.2f} ms"
    if not found.crypto:
        return f"WITHOUT CRYPTOGRAPHY, nothing signed, nothing verified: {machine}"
    return (
        f"{machine}, one signature {found.signature_ms:.2f} ms, "
        f"crypto floor {found.floor_per_second:,.0f} a second"
    )


def cells(row: Row) -> list[str]:
    """One line of the table of `bench modes`."""
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


def facts(title: str, found: Sequence[dict[str, Any]]) -> Table:
    """Return a table of JSON objects with the same fields: a column each, a row per field."""
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column()
    for _ in found:
        table.add_column(justify="right")
    for name in found[0]:
        table.add_row(name.replace("_", " "), *(said(one[name]) for one in found))
    return table


def said(value: Any) -> str:
    """A JSON value as it stands in a table."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {said(inner)}" for name, inner in value.items())
    return str(value) if isinstance(value, str) else f"{value:,}"


def as_json(found: DataclassInstance) -> dict[str, Any]:
    """Return what was found as a JSON object, its floats cut to what they are worth."""
    report: dict[str, Any] = rounded(asdict(found))
    return report


def rounded(value: Any) -> Any:
    """Return the same JSON value with floats of `SHOWN_DIGITS` digits."""
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
