"""Disks that are full: one that only says so, and one that is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class StatedDisk:
    """What `statvfs` says is free.

    Attributes:
        free: bytes.
        asked: how often somebody wanted to know.
    """

    def __init__(self) -> None:
        self.free = 1 << 40
        self.asked = 0

    def statvfs(self, _: object) -> os.statvfs_result:
        """Answer in place of `os.statvfs`."""
        self.asked += 1
        return os.statvfs_result((1, 1, self.free, self.free, self.free, 0, 0, 0, 0, 255))


class SmallDisk:
    """A filesystem of a few megabytes in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no free block."""
        with self._ballast.open("wb", buffering=0) as ballast:
            try:
                while ballast.write(bytes(4096)):
                    pass
            except OSError:
                return

    def clear(self) -> None:
        """Have room again."""
        self._ballast.unlink()


@contextmanager
def mounted(folder: Path, megabytes: int = 8) -> Iterator[SmallDisk]:
    """Mount a small disk in a new folder; where that is not permitted, skip and say so."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)]
    try:
        permitted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        permitted = False
    if not permitted:
        pytest.skip("NOT SHOWN HERE: a disk that is really full needs permission to mount one")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
