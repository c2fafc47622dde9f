"""How many records all heads together account for; more of them means heads were lost."""

from __future__ import annotations

from typing import NamedTuple

from storage.journal import Batch
from storage.sealing import seal, unseal
from storage.snapshot import Snapshot
from storage.tables import COMMITMENTS, META, RECEIPTS, SLOTS, TALLY


class Tally(NamedTuple):
    """Numbers of pins, of signed slots and of receipts, written with every batch.

    LMDB counts the records of a table by itself, so comparing both takes no scan.
    """

    pins: int = 0
    signed: int = 0
    receipts: int = 0

    def after(self, batch: Batch) -> Tally:
        """Return the tally once `batch` is written."""
        return Tally(
            self.pins + len(batch.pins),
            self.signed + len(batch.signed),
            self.receipts + len(batch.receipts),
        )

    def pack(self) -> bytes:
        """Return it as a sealed record, for the key `TALLY`."""
        return seal(META, TALLY, self)


def recorded(snapshot: Snapshot) -> Tally:
    """Read the tally that the last batch wrote."""
    record = snapshot.get(META, TALLY)
    return Tally() if record is None else Tally._make(unseal(META, TALLY, record))


def counted(snapshot: Snapshot) -> Tally:
    """Count what is really there."""
    return Tally(snapshot.count(SLOTS), snapshot.count(COMMITMENTS), snapshot.count(RECEIPTS))
