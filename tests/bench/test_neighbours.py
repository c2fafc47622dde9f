from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bench.neighbours import STATISTICS, Neighbours

BUSY = "import time\nwhile time.process_time() < 0.3: pass"


@pytest.mark.skipif(not STATISTICS.exists(), reason="only Linux tells")
def test_what_other_programs_use_is_noticed() -> None:
    """Work of another program counts, so that a disturbed measurement can be told."""
    neighbours = Neighbours()
    subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert neighbours.share() > 0


def test_own_work_is_no_disturbance(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """Where the system does not tell, and nobody else is known, nobody disturbs."""
    monkeypatch.setattr("bench.neighbours.STATISTICS", tmp_path / "absent")
    neighbours = Neighbours()
    sum(range(100_000))
    assert neighbours.share() == pytest.approx(0.0, abs=0.05)


def test_the_work_of_programs_that_we_started_is_our_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    """What a program of ours used until it ended is no disturbance."""
    statistics = tmp_path / "stat"
    monkeypatch.setattr("bench.neighbours.STATISTICS", statistics)
    statistics.write_text(f"cpu {ticks()} 0 0 0 0\n")
    neighbours = Neighbours()
    subprocess.run([sys.executable, "-c", BUSY], check=True)
    statistics.write_text(f"cpu {ticks()} 0 0 0 0\n")
    assert neighbours.share() == pytest.approx(0.0, abs=0.05)


def ticks() -> int:
    times = os.times()
    used = sum(times[:4])
    return int(used * os.sysconf("SC_CLK_TCK"))
