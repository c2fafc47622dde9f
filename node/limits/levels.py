"""Where buckets keep how full they are: in memory, or shared by the programs of one node."""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Hashable
from pathlib import Path
from typing import Protocol

MAX_KEYS = 65_536
"""Keys remembered at once, a few megabytes; past it one is forgotten, which can only be in its
favour."""

SECRET_BYTES = 16
HEAD_BYTES = 64
CELL_BYTES = 16
"""Of a key: eight bytes of its digest, and when its bucket is full again."""

PLACES = 8
"""Cells in which a key may stand; the least indebted one gives way where all are taken."""


class Levels(Protocol):
    """Know when the bucket of each key will be full again, in monotonic seconds."""

    def get(self, key: Hashable) -> float:
        """Return it; 0 for a key that is not known, whose bucket is full."""

    def set(self, key: Hashable, full_at: float, now: float) -> None:
        """Replace it; may forget another key."""


class OwnLevels:
    """Keep levels in this program's memory. Used from one thread."""

    def __init__(self, max_keys: int = MAX_KEYS) -> None:
        """Remember so many keys at once."""
        self._max_keys = max_keys
        self._full_at: dict[Hashable, float] = {}

    def get(self, key: Hashable) -> float:
        """Return when the bucket of `key` is full again."""
        return self._full_at.get(key, 0.0)

    def set(self, key: Hashable, full_at: float, now: float) -> None:
        """Replace it; past the limit of keys the one that waited longest is forgotten."""
        self._full_at.pop(key, None)
        if len(self._full_at) >= self._max_keys:
            self._forget(now)
        self._full_at[key] = full_at

    def __len__(self) -> int:
        return len(self._full_at)

    def _forget(self, now: float) -> None:
        # In the order of use, so the first is the one that waited longest.
        full = [key for key, full_at in self._full_at.items() if full_at <= now]
        for key in full or [next(iter(self._full_at))]:
            del self._full_at[key]


class SharedLevels:
    """Keep levels in a file that all gateways of a node have mapped.

    So one rate holds for all of them, however the system deals out the connections, and goes on
    over their restarts. Nothing is locked: two gateways that spend from one bucket in the same
    microsecond spend once. A secret decides where a key stands, so that nobody can make up
    keys that displace somebody else's.
    """

    def __init__(self, file: Path) -> None:
        """Map a file that `create` made.

        Raises:
            OSError: it cannot be mapped.
        """
        with file.open("r+b") as opened:
            # Not closed before the program ends: its views would have to be given up before.
            mapped = memoryview(mmap.mmap(opened.fileno(), 0))
        self._secret = bytes(mapped[:SECRET_BYTES])
        self._tags = mapped[HEAD_BYTES:].cast("Q")
        self._levels = mapped[HEAD_BYTES:].cast("d")
        self._sets = len(self._tags) * 8 // CELL_BYTES // PLACES

    @staticmethod
    def create(file: Path, max_keys: int = MAX_KEYS) -> None:
        """Make the file, for its owner only, with all buckets full.

        Raises:
            OSError: there is no room.
        """
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            # Real blocks: writing into a hole on a full disk would end the program.
            os.posix_fallocate(descriptor, 0, HEAD_BYTES + CELL_BYTES * max_keys)
            os.pwrite(descriptor, os.urandom(SECRET_BYTES), 0)
        finally:
            os.close(descriptor)

    def get(self, key: Hashable) -> float:
        """Return when the bucket of `key` is full again."""
        tag, places = self._places(key)
        for place in places:
            if self._tags[place] == tag:
                return self._levels[place + 1]
        return 0.0

    def set(self, key: Hashable, full_at: float, now: float) -> None:
        """Replace it; where there is no place, the least indebted key is forgotten."""
        tag, places = self._places(key)
        place = next((known for known in places if self._tags[known] == tag), None)
        if place is None:
            place = min(places, key=lambda other: self._levels[other + 1])
            self._tags[place] = tag
        self._levels[place + 1] = full_at

    def _places(self, key: Hashable) -> tuple[int, range]:
        # A cell is a tag and, behind it, a level; both views count in eight bytes.
        raw = key if isinstance(key, bytes) else str(key).encode()
        digest = hashlib.blake2b(raw, digest_size=16, key=self._secret).digest()
        first = int.from_bytes(digest[8:], "little") % self._sets * PLACES * 2
        return int.from_bytes(digest[:8], "little") | 1, range(first, first + PLACES * 2, 2)
