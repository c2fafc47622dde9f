"""Heads as they were written last, recognised by their very bytes."""

from __future__ import annotations

from protocol.ids import Id
from storage.journal import Head
from storage.records import unpack_head
from storage.snapshot import Snapshot
from storage.tables import HEADS

LIMIT = 4096
"""Heads kept; beyond it all are forgotten and read again."""


class HeadMemory:
    """Spare the writer from unpacking what it packed itself a moment ago.

    The store is still read each time, so a head that somebody else wrote, or that a flipped
    bit changed, is never taken for ours: its bytes differ.
    """

    def __init__(self) -> None:
        self._heads: dict[Id, tuple[bytes, Head]] = {}

    def find(self, snapshot: Snapshot, process: Id) -> Head | None:
        """Return where `process` stands in this transaction, or None when it is not known.

        Raises:
            CorruptRecord: its head does not match its digest.
        """
        record = snapshot.get(HEADS, process)
        if record is None:
            return None
        kept = self._heads.get(process)
        return kept[1] if kept and kept[0] == record else unpack_head(process, record)

    def keep(self, process: Id, record: bytes, head: Head) -> None:
        """Remember a head that is being written; it counts once it is found in the store."""
        if len(self._heads) >= LIMIT:
            self._heads.clear()
        self._heads[process] = record, head
