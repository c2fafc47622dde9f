"""Where things lie in the folder of a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MAX_SHARDS = 64
"""Each is a program with a database and a terabyte of address space. More would help on no
machine that is known, and resharding has the files of all of them open at once."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths under the root of a store.

    Attributes:
        root: the folder of the store.
        folder: where in it the shards lie, as the manifest says; "" is the root itself.
    """

    root: Path
    folder: str = ""

    @property
    def manifest(self) -> Path:
        """The file that makes the folder a store."""
        return self.root / "manifest.json"

    def shard(self, number: int) -> Path:
        """The folder of one shard."""
        return self.root / self.folder / f"shard-{number:03d}"

    def lock(self, number: int) -> Path:
        """The lock file of one shard's writer; it stays where it is when shards move."""
        return self.root / f"shard-{number:03d}.lock"

    def shards_found(self) -> int:
        """How many shards the folder must have had, by the highest number in its root."""
        numbers = [int(path.name[6:]) for path in self.root.glob("shard-[0-9][0-9][0-9]")]
        return max(numbers, default=-1) + 1
