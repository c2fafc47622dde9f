"""The durable journal: one shard held for writing."""

from __future__ import annotations

import lmdb

from protocol.errors import Fenced, IdCollision, NeedsAdoption, SchedulerError
from protocol.ids import Id
from storage.claim import Claim, sign_out
from storage.environment import Environment
from storage.head_memory import HeadMemory
from storage.journal import Batch, Body, Journal
from storage.layout import Layout
from storage.lock import WriterLock
from storage.map_size import ask_for_more
from storage.reader import LmdbReader
from storage.settings import StoreSettings
from storage.snapshot import Snapshot
from storage.space import SpaceGuard
from storage.transaction import BatchWriter


class LmdbJournal(LmdbReader, Journal):
    """Implement `Journal` over one shard.

    Attributes:
        stopped_cleanly: whether the writer before this one closed in good order.
    """

    def __init__(
        self,
        layout: Layout,
        shard: int,
        settings: StoreSettings,
        environment: Environment,
        *,
        lock: WriterLock,
        claim: Claim,
    ) -> None:
        """Use `storage.open_writer`, which takes the lock and checks the folder."""
        super().__init__(layout, shard, settings, environment)
        self.stopped_cleanly = claim.stopped_cleanly
        self._space = SpaceGuard(environment.folder, settings.min_free_bytes)
        self._lock = lock
        # Owned by the thread that appends, and by the one that closes after it.
        self._claim = claim
        self._heads = HeadMemory()

    def append(self, batch: Batch) -> None:
        """Make the whole batch durable, or raise and leave none of it visible. See `Journal`.

        After `Fenced` every method refuses: what this object knows may differ from the disk.
        """
        environment = self.environment
        with environment.gate:
            self._require_adopted()
            if not (batch.pins or batch.signed or batch.receipts):
                return
            try:
                with environment.begin_write() as transaction:
                    self._claim.hold(transaction, environment)
                    snapshot = Snapshot(transaction, environment.tables, self._owners)
                    writer = BatchWriter(
                        transaction, environment.tables, snapshot, self._bodies, self._heads
                    )
                    writer.write(batch)
                # The commit point lies at the end of this block. A crash before it leaves
                # nothing of the batch, after it everything; an error there leaves us not
                # knowing which.
            except BaseException as exc:
                fence = self._fence(exc)
                environment.gate.refuse(fence)
                if isinstance(exc, Exception):
                    raise fence from exc
                raise
            self._claim.held()

    def is_large(self, size: int) -> bool:
        """Tell whether a body of `size` bytes is kept apart. See `Journal`."""
        return size >= self._bodies.large

    def keep_body(self, message_id: Id, body: Body) -> None:
        """Make a large body durable before its pin; a no-op for a small one. See `Journal`."""
        with self.environment.gate:
            self._require_adopted()
            self._bodies.keep(message_id, body)

    def same_body(self, message_id: Id, body: Body) -> bool:
        """Tell whether the ID is free or already holds exactly these bytes. See `Journal`."""
        with self.snapshot() as snapshot:
            kept = snapshot.body(message_id)
        return kept is None or self._bodies.same(message_id, kept, body)

    def place(self, process: Id, message_id: Id, body: Body) -> int | None:
        """Return the message's first slot, or None if it may get one. See `Journal`."""
        with self.snapshot() as snapshot:
            slot = snapshot.slot_of(process, message_id)
            kept = snapshot.body(message_id) if slot is None else None
        if kept is not None and not self._bodies.same(message_id, kept, body):
            raise IdCollision(f"message ID {message_id} is taken by other bytes")
        return slot

    def require_space(self, size: int) -> None:
        """Check that `size` more bytes leave the reserve untouched. See `Journal`."""
        with self.environment.gate:
            self._require_adopted()
            self._space.require(size)

    def maintain(self) -> int:
        """Forget readers that died; return how many. See `Journal`."""
        return self.environment.forget_dead_readers()

    def remove_unnamed_bodies(self) -> int:
        """Remove files of large messages that no record names; only before the first append.

        Returns:
            How many there were.
        """
        with self.snapshot() as snapshot:
            return self._bodies.remove_unnamed(snapshot.names_file)

    def close(self) -> None:
        """Write the clean-stop mark and give the store up. Idempotent."""
        if not self.environment.gate.shut:
            sign_out(self.environment, self._claim)
        super().close()
        self._lock.release()

    def _require_adopted(self) -> None:
        if self._claim.obstacle:
            raise NeedsAdoption(
                f"{self.layout.root} is read-only until adopted: {self._claim.obstacle}"
            )

    def _fence(self, cause: BaseException) -> Fenced:
        """Say as much as is known about a failed append."""
        if isinstance(cause, lmdb.MapFullError):
            ask_for_more(self.environment.folder, self.environment.map_size)
            return Fenced("the shard outgrew its map; the next start doubles it")
        if isinstance(cause, SchedulerError):
            return Fenced(cause.detail)
        return Fenced(f"commit outcome unknown: {cause!r}")
