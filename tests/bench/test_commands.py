from __future__ import annotations

from pathlib import Path

import pytest

ROW = ["mode", "processes", "in_flight", "per_second", "floor_ratio"]
ROW += ["p50_ms", "p95_ms", "p99_ms", "cpu_us_beyond_floor"]
TINY = ["--quick", "--seconds", "0.1", "--processes", "2", "--in-flight", "3"]


pytestmark = pytest.mark.usefixtures("ready_keys")


def test_modes_reports_a_row_for_each_case(report, tmp_path: Path) -> None:
    """`bench modes` writes the promised JSON, a table and a chart, and leaves no store behind."""
    chart = tmp_path / "chart.png"
    found, printed = report("modes", *TINY, "--chart", str(chart))
    assert list(found) == ["cores", "floor_per_second", "signature_ms", "rows"]
    assert [list(row) for row in found["rows"]] == [ROW] * 3
    modes = ["aggressive", "local_confirmation", "remote_confirmation"]
    assert [row["mode"] for row in found["rows"]] == modes
    assert {(row["processes"], row["in_flight"]) for row in found["rows"]} == {(2, 3)}
    assert all(row["floor_ratio"] > 0 for row in found["rows"])
    assert all(row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"] for row in found["rows"])
    assert "crypto floor" in printed
    assert chart.read_bytes().startswith(b"\x89PNG")
    assert list((tmp_path / "data").iterdir()) == []


def test_modes_without_cryptography_says_so(report, tmp_path: Path) -> None:
    """Numbers that were measured without cryptography are labelled wherever they go."""
    chart = ["--chart", str(tmp_path / "chart.png")]
    found, printed = report("modes", *TINY, "--mode", "aggressive", "--no-crypto", *chart)
    assert found["crypto"] is False
    assert found["floor_per_second"] is None
    assert [row["floor_ratio"] for row in found["rows"]] == [None]
    assert "WITHOUT CRYPTOGRAPHY" in printed


def test_recovery_opens_the_store_in_fresh_programs(report) -> None:
    """`bench recovery` reports time and memory with a cold and a warm page cache."""
    found, _ = report("recovery", "--processes", "30", "--live", "4")
    assert found["processes"] == 30
    assert [run["page_cache"] for run in found["reopenings"]] == ["cold", "warm"]
    for run in found["reopenings"]:
        assert run["seconds"] > 0
        assert run["live_processes"] == 4
        assert run["before"]["own"] <= run["live"]["own"] <= run["live"]["rss"]


def test_read_reports_long_and_short_schedules(report) -> None:
    """`bench read` reads one process with everything, and many with little."""
    found, _ = report("read", "--assignments", "1100", "--seconds", "0")
    shapes = [(row["processes"], row["assignments"], row["pages"]) for row in found["rows"]]
    assert shapes == [(1, 1100, 2), (110, 1100, 110)]
    assert all(row["per_second"] > 0 for row in found["rows"])


def test_verify_counts_every_signature(report, tmp_path: Path) -> None:
    """`bench verify` verifies message and assignment of each slot, and keeps its store."""
    found, _ = report("verify", "--assignments", "8")
    assert found["assignments"] == 8
    assert found["signatures"] == 16
    assert found["floor_ratio"] > 0
    store = tmp_path / "data" / "signed-8"
    made = store.stat().st_ctime_ns
    report("verify", "--assignments", "8")
    assert store.stat().st_ctime_ns == made
