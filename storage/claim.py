"""Taking a shard over for writing: the ownership record, now or with the first append."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import lmdb

from protocol.errors import Fenced
from storage.environment import Environment
from storage.ownership import Ownership, machine_mark, unpack_ownership
from storage.reading import Reading
from storage.settings import StoreSettings
from storage.space import free_bytes
from storage.tables import META, OWNERSHIP
from storage.tally import counted, recorded


@dataclass(slots=True)
class Claim:
    """What the next write transaction must find in place of ours, and what it leaves.

    Attributes:
        own: our ownership, new with every opening.
        found: the packed record that is there now; ours once it is written.
        obstacle: why this store needs adoption before it is written to, or "".
        stopped_cleanly: whether the writer before closed in good order.
    """

    own: Ownership
    found: bytes | None
    obstacle: str
    stopped_cleanly: bool

    def hold(self, transaction: lmdb.Transaction[bytes], environment: Environment) -> None:
        """Check within a write transaction that nobody took over, and sign in if need be.

        Raises:
            Fenced: the record is not the one we left: another writer has been here.
        """
        meta = environment.tables[META]
        if transaction.get(OWNERSHIP, db=meta) != self.found:
            raise Fenced("another writer has taken this store over")
        own = self.own.pack()
        if self.found != own:
            transaction.put(OWNERSHIP, own, db=meta)

    def held(self) -> None:
        """Note that a transaction with `hold` has been committed."""
        self.found = self.own.pack()


def read_claim(environment: Environment) -> Claim:
    """Look who wrote last, and whether this is the same store on the same machine."""
    with Reading(environment, {}) as snapshot:
        found = snapshot.get(META, OWNERSHIP)
        complete = counted(snapshot) == recorded(snapshot)
    mark = machine_mark(environment.folder)
    before = None if found is None else unpack_ownership(found)
    obstacle = ""
    if before is not None and before.machine != mark:
        obstacle = "it was moved, restored or copied"
    elif not complete:
        obstacle = "it holds records beyond its heads"
    return Claim(Ownership.new(mark), found, obstacle, before is None or before.stopped)


def sign_in(environment: Environment, claim: Claim, settings: StoreSettings) -> bool:
    """Write our ownership now, so that a writer before us is stopped at once.

    Returns:
        False when the commit failed: then the environment must be opened anew, and the
        claim read again. On a disk without room it is left to the first append.
    """
    if claim.obstacle or free_bytes(environment.folder) < settings.min_free_bytes:
        return True
    try:
        with environment.gate, environment.begin_write() as transaction:
            claim.hold(transaction, environment)
    except lmdb.Error:
        return False
    claim.held()
    return True


def sign_out(environment: Environment, claim: Claim) -> None:
    """Mark the store as stopped in good order, where that is possible."""
    if claim.found != claim.own.pack():
        return
    with suppress(lmdb.Error, Fenced), environment.gate, environment.begin_write() as transaction:
        claim.hold(transaction, environment)
        stopped = claim.own._replace(stopped=True).pack()
        transaction.put(OWNERSHIP, stopped, db=environment.tables[META])
