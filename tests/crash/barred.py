"""What holds a shard up while it starts, until the test lets it go on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from actors.blocks import OfflineBlockClock
from tests.actors.shards.children import pass_bar


@dataclass(frozen=True)
class BarredBlocks(OfflineBlockClock):
    """A block clock before whose start there is a bar (`tests.actors.shards.lines.Bar`)."""

    bar: Path

    def start(self) -> None:
        """Wait for the bar; the shard has its store already."""
        pass_bar(self.bar)
