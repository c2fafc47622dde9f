"""Other programs on this machine: what they took while something was measured."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bench.floor import CORES

STATISTICS = Path("/proc/stat")
IDLE_FIELDS = (4, 5)
"""Of the first line: idle, and waiting for a disk. Source: proc_stat(5)."""


class Neighbours:
    """Watch the machine from now on."""

    def __init__(self) -> None:
        self._before = _busy(), _ours(), time.perf_counter()

    def share(self) -> float:
        """Return the part of all cores that other programs used since; 0.0 where unknown."""
        busy, ours, began = self._before
        others = (_busy() - busy) - (_ours() - ours)
        return max(0.0, others / (time.perf_counter() - began) / CORES)


def _ours() -> float:
    # With that of programs which we started and which have ended by now.
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def _busy() -> float:
    if not STATISTICS.exists():
        return _ours()
    fields = STATISTICS.read_text("ascii").splitlines()[0].split()
    ticks = sum(int(field) for n, field in enumerate(fields) if n and n not in IDLE_FIELDS)
    return ticks / os.sysconf("SC_CLK_TCK")
