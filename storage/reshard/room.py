"""Whether there is room for the new shards beside the old ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from protocol.errors import StoreFull
from storage.reshard.bodies import linkable
from storage.reshard.source import Source
from storage.space import free_bytes


def require_room(root: Path, sources: Sequence[Source], built: int, reserve: int) -> None:
    """Check that what is still to be copied leaves the reserve free.

    Counted from above: new databases are denser than those they are copied from, except for
    messages that go to several shards.

    Args:
        root: folder of the store.
        sources: the old shards.
        built: bytes that the new shards have already.
        reserve: bytes to leave free.

    Raises:
        StoreFull: there is too little room; says how much is needed.
    """
    needed = max(0, sum(map(_bytes_of, sources, [root] * len(sources))) - built)
    free = free_bytes(root)
    if free < needed + reserve:
        raise StoreFull(
            f"resharding {root} takes {_mebibytes(needed)} MiB and leaves "
            f"{_mebibytes(reserve)} MiB in reserve, but only {free >> 20} MiB are free"
        )


def require_reserve(root: Path, reserve: int) -> None:
    """Check that others have not used up the room meanwhile.

    Raises:
        StoreFull: they have; what was copied is not lost.
    """
    if free_bytes(root) < reserve:
        raise StoreFull(
            f"less than {_mebibytes(reserve)} MiB are left in {root}: make room, then go on"
        )


def _bytes_of(source: Source, root: Path) -> int:
    if linkable(source.folder, root):
        return source.used_bytes
    return source.used_bytes + sum(file.stat().st_size for file in source.bodies.files())


def _mebibytes(size: int) -> int:
    return -(-size // (1 << 20))
