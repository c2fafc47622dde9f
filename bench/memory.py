"""How much memory this OS process holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STATUS = Path("/proc/self/status")
"""Where Linux tells; elsewhere `bench recovery` cannot be run."""


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


def memory() -> Memory:
    """Return what is resident now."""
    fields = dict(line.split(":", 1) for line in STATUS.read_text("ascii").splitlines())
    return Memory(_megabytes(fields["VmRSS"]), _megabytes(fields["RssAnon"]))


def _megabytes(field: str) -> float:
    return int(field.removesuffix("kB")) * 1024 / 1e6
