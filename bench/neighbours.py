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
        self._before = _busy(), time.process_time(), time.perf_counter()

    def share(self) -> float:
        """Return the part of all cores that other programs used since; 0.0 where unknown."""
        busy, ours, began = self._before
        others = (_busy() - busy) - (time.process_time() - ours)
        return max(0.0, others / (time.perf_counter() - began) / CORES)


def _busy() -> float:
    if not STATISTICS.exists():
        return time.process_time()
    fields = STATISTICS.read_text("ascii").splitlines()[0].split()
    ticks = sum(int(field) for n, field in enumerate(fields) if n and n not in IDLE_FIELDS)
    return ticks / os.sysconf("SC_CLK_TCK")
