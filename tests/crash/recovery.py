"""Opening a store again after a crash, and seeing it through to the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

from actors import Scheduler, Stage
from actors.probe import Point
from protocol.errors import NotFound
from protocol.ids import Id
from protocol.wallet import Wallet
from storage import Head, stored_shards
from storage.verify import verify_store
from tests.actors.errands import Office
from tests.crash.telling import Item, Told
from tests.crash.testimony import Testimony

PATIENCE_SECONDS = 60.0


class Watch:
    """A probe that lets others wait for receipts."""

    def __init__(self) -> None:
        self._receipts: SimpleQueue[None] = SimpleQueue()

    def __call__(self, point: Point) -> None:
        if point is Point.AFTER_RECEIPT_COMMIT:
            self._receipts.put(None)

    def wait_until_published(self, scheduler: Scheduler, heads: dict[Id, Head]) -> None:
        """Wait until everything that was pinned has its receipt."""
        for head in heads.values():
            while not _is_published(scheduler, head):
                try:
                    self._receipts.get(timeout=PATIENCE_SECONDS)
                except Empty:
                    raise AssertionError(f"L3: {head} is not published: {scheduler!r}") from None


def recover(testimony: Testimony, wallets: Sequence[Wallet], items: Sequence[Item]) -> None:
    """Judge the store as the crash left it, open it, ask again for everything, judge again.

    First nobody asks for anything: what was pinned is signed and published by itself. Then
    every item is sent again, whether its slot was known or not.

    Args:
        testimony: what was told; what is told now is added.
        wallets: the scheduler's.
        items: everything that may have been sent.
    """
    watch = Watch()
    heads = testimony.judge()
    with opened(testimony.root, wallets, watch) as scheduler:
        watch.wait_until_published(scheduler, heads)
        tickets = [scheduler.schedule(item.message) for item in items]
        for item, ticket in zip(items, tickets, strict=True):
            testimony.hear(Told(item.id, stage, ticket.future(stage).get()) for stage in Stage)
        assert scheduler.pending() == []
    testimony.judge()
    report = verify_store(testimony.root, workers=0)
    assert report.ok, "\n".join(map(str, report.problems))


@contextmanager
def opened(root: Path, wallets: Sequence[Wallet], watch: Watch) -> Iterator[Scheduler]:
    """Open a store of however many shards; they are watched in this program."""
    shards = stored_shards(root) or 1
    office = Office()
    try:
        many = {"shards": shards, "probe": office.errand(watch)} if shards > 1 else {"probe": watch}
        with Scheduler.open(root, wallets, deadline=PATIENCE_SECONDS, **many) as scheduler:
            yield scheduler
    finally:
        office.close()


def _is_published(scheduler: Scheduler, head: Head) -> bool:
    try:
        return scheduler.receipt(head.process, head.pinned) is not None
    except NotFound:
        # Its slot is not even stored yet.
        return False
