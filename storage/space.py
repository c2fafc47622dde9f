"""Free disk space: looked at now and then, and counted down in between."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from protocol.errors import StoreFull, Unavailable

RECHECK_SECONDS = 1.0
"""How old a look at the disk may be: others write there too."""


class SpaceGuard:
    """Keep a reserve of free space on the filesystem of one folder.

    `require` costs well below a microsecond: the disk is asked again only when the last
    answer is old, or would not suffice any more. Two threads may count down at once and
    lose a few bytes of each other's; the next look at the disk forgets that.
    """

    def __init__(
        self, folder: Path, reserve: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the folder, the reserve in bytes, and a clock in seconds."""
        self._folder = folder
        self._reserve = reserve
        self._clock = clock
        self._left = -1
        self._checked = 0.0

    def require(self, size: int) -> None:
        """Check that `size` more bytes leave the reserve untouched, and count them.

        Raises:
            StoreFull: they do not.
        """
        now = self._clock()
        if size > self._left or now - self._checked > RECHECK_SECONDS:
            self._left = free_bytes(self._folder) - self._reserve
            self._checked = now
            if size > self._left:
                raise StoreFull(f"{self._folder}: less than {self._reserve} bytes would stay free")
        self._left -= size


def require_free(folder: Path, size: int) -> None:
    """Check that `size` bytes are free.

    Raises:
        StoreFull: they are not.
    """
    if free_bytes(folder) < size:
        raise StoreFull(f"{folder}: less than {size} bytes are free")


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write to the filesystem of `folder`.

    Raises:
        Unavailable: the folder is gone.
    """
    try:
        status = os.statvfs(folder)
    except OSError as exc:
        raise Unavailable(f"cannot ask for the free space of {folder}: {exc.strerror}") from exc
    return status.f_bavail * status.f_frsize
