"""How much memory an OS process holds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROCESSES = Path("/proc")
"""Where Linux tells; elsewhere `bench recovery` and `bench scale` cannot be run."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory in MB (of 1,000,000 bytes).

    Attributes:
        rss: all of it.
        own: what the program itself holds; the rest are pages of files, the store's among
            them, which the system takes back when it needs them.
    """

    rss: float
    own: float

    @property
    def files(self) -> float:
        """The pages of files."""
        return self.rss - self.own


def memory(pid: int | None = None) -> Memory:
    """Return what is resident now, in this program or in another one."""
    status = PROCESSES / str(pid or os.getpid()) / "status"
    fields = dict(line.split(":", 1) for line in status.read_text("ascii").splitlines())
    return Memory(_megabytes(fields["VmRSS"]), _megabytes(fields["RssAnon"]))


def _megabytes(field: str) -> float:
    return int(field.removesuffix("kB")) * 1024 / 1e6
