"""The system's page cache: what a store finds there after a machine has started."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def forget_pages(folder: Path) -> None:
    """Have the system drop every page of the files in a folder that nobody has open."""
    for file in _files(folder):
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def size_on_disk(folder: Path) -> int:
    """Return the bytes that the files in a folder occupy."""
    return sum(file.stat().st_blocks * 512 for file in _files(folder))


def _files(folder: Path) -> Iterable[Path]:
    return (file for file in folder.rglob("*") if file.is_file())
