"""The chart of `bench modes`: throughput beside the crypto floor, and latency, per mode."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.modes import Modes, Row
from bench.report import short, title

COLORS = ("#4c9f70", "#3a6ea5", "#c2703d")
WIDTH = 0.26
"""Of one bar; a group of three leaves a gap to the next."""


def draw(found: Modes, file: Path) -> None:
    """Draw the rows of a run into a PNG file."""
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    throughput, latency = figure.subplots(1, 2)
    figure.suptitle(title(found), fontsize=11)
    groups = list(dict.fromkeys((row.processes, row.in_flight) for row in found.rows))
    modes = list(dict.fromkeys(row.mode for row in found.rows))
    for number, mode in enumerate(modes):
        rows = [row for row in found.rows if row.mode == mode]
        left = (number - (len(modes) - 1) / 2) * WIDTH
        at = [groups.index((row.processes, row.in_flight)) + left for row in rows]
        _bars(throughput, at, rows, COLORS[number])
        _spans(latency, at, rows, COLORS[number])
    _throughput_axes(throughput, found)
    _latency_axes(latency)
    for axes in (throughput, latency):
        labels = [f"{processes} / {in_flight}" for processes, in_flight in groups]
        axes.set_xticks(range(len(groups)), labels)
        axes.set_xlabel("processes / in flight")
        axes.spines[["top", "right"]].set_visible(False)
    throughput.legend(loc="upper left", frameon=False, ncols=3, fontsize=9)
    figure.savefig(file, dpi=130, format="png")


def _bars(axes: Axes, at: Sequence[float], rows: Sequence[Row], color: str) -> None:
    heights = [row.per_second if row.floor_ratio is None else row.floor_ratio for row in rows]
    bars = axes.bar(at, heights, WIDTH, color=color, label=short(rows[0].mode))
    labels = [f"{row.per_second:,.0f}" for row in rows]
    axes.bar_label(bars, labels, fontsize=7, padding=2, rotation=90)


def _spans(axes: Axes, at: Sequence[float], rows: Sequence[Row], color: str) -> None:
    # From the median up to the 99th percentile, with a mark at the 95th.
    axes.vlines(at, [row.p50_ms for row in rows], [row.p99_ms for row in rows], color, lw=2)
    axes.scatter(at, [row.p50_ms for row in rows], s=42, color=color, zorder=3)
    axes.scatter(at, [row.p95_ms for row in rows], s=60, color=color, marker="_", zorder=3)
    for x, row in zip(at, rows, strict=True):
        axes.annotate(
            f"{row.p50_ms:.1f}",
            (x, row.p50_ms),
            (0, -11),
            textcoords="offset points",
            ha="center",
            fontsize=7,
        )


def _throughput_axes(axes: Axes, found: Modes) -> None:
    if found.crypto:
        axes.axhline(1.0, color="#444444", lw=1, ls="--")
        axes.annotate(
            "crypto floor",
            (1, 1),
            (0, 3),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            fontsize=8,
        )
        axes.set_ylim(0, 1.25)
        axes.set_ylabel("throughput, of the floor (labels: per second)")
    else:
        axes.set_ylabel("assignments per second, without cryptography")
        axes.margins(y=0.15)


def _latency_axes(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.margins(y=0.12)
    axes.set_ylabel("latency, ms: p50 (dot), p95 (dash), p99 (end)")
