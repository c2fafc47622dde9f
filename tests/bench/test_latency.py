from __future__ import annotations

import pytest

from bench.latency import percentile


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1.0), (50, 50.0), (95, 95.0), (99, 99.0), (100, 100.0)]
)
def test_a_percentile_is_the_value_that_so_many_do_not_exceed(percent, expected) -> None:
    """Of a hundred values in any order, the n-th percentile is the n-th smallest."""
    values = [float(n) for n in range(100, 0, -1)]
    assert percentile(values, percent) == expected


def test_a_percentile_was_measured() -> None:
    """Between two values no third one is invented."""
    assert percentile([1.0, 10.0], 50) == 1.0
    assert percentile([1.0, 10.0], 51) == 10.0


def test_nothing_has_no_percentile() -> None:
    """A row in which nothing was measured is an error and not a zero."""
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 50)
