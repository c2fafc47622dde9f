"""The disk: what one durable commit takes when nothing else is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.bulk import entries
from bench.floor import Work
from protocol.wallet import OWNER_BYTES
from storage import Batch, open_writer

COMMITS = 10_000
"""More than any run measures."""


@contextmanager
def lone_commits(data: Path) -> Iterator[Work]:
    """Yield a function that makes one slot durable, in a store of its own below `data`."""
    data.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(dir=data, prefix="disk-") as folder,
        open_writer(Path(folder) / "store") as journal,
    ):
        pins = (pin for pin, _, _ in entries(bytes(OWNER_BYTES), COMMITS))
        yield lambda: journal.append(Batch(pins=[next(pins)]))
