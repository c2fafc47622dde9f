"""Where things lie in the folder of a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths under the root of a store."""

    root: Path

    @property
    def manifest(self) -> Path:
        """The file that makes the folder a store."""
        return self.root / "manifest.json"

    def shard(self, number: int) -> Path:
        """The folder of one shard."""
        return self.root / f"shard-{number:03d}"

    def lock(self, number: int) -> Path:
        """The lock file of one shard's writer."""
        return self.root / f"shard-{number:03d}.lock"

    def shards_found(self) -> int:
        """How many shard folders are needed to hold every one that is there."""
        numbers = [int(path.name[6:]) for path in self.root.glob("shard-[0-9][0-9][0-9]")]
        return max(numbers, default=-1) + 1
