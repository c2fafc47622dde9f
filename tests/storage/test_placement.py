"""Which shard a process belongs to."""

from __future__ import annotations

import pytest

from protocol.ids import Id, digest_id
from storage import shard_of

VECTORS = [
    (bytes(32), (0, 1, 0, 2, 7, 119)),
    (b"\xff" * 32, (0, 1, 2, 1, 7, 95)),
    (bytes(range(32)), (0, 0, 2, 5, 6, 102)),
]
COUNTS = (1, 2, 3, 7, 8, 256)


@pytest.mark.parametrize(("process", "shards"), VECTORS)
def test_placement_never_changes(process: bytes, shards: tuple[int, ...]) -> None:
    """Stores are laid out by this rule: the same process finds its shard in every version."""
    assert tuple(shard_of(Id(process), count) for count in COUNTS) == shards


def test_processes_spread_evenly() -> None:
    """No shard gets much more than its share of many processes."""
    found = [shard_of(digest_id(number.to_bytes(4, "big")), 4) for number in range(20_000)]
    assert all(4_700 < found.count(shard) < 5_300 for shard in range(4))
