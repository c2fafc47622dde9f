"""Percentiles of latencies."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least `percent` of all values do not exceed.

    The nearest-rank definition: always a value that was measured, never one in between.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("nothing was measured")
    rank = max(1, ceil(len(values) * percent / 100))
    return sorted(values)[rank - 1]
