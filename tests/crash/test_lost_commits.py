"""A commit whose outcome is lost: the scheduler says that it does not know, and reopening does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from actors import Stage, Ticket
from actors.probe import Point
from actors.shard import Shard, ShardOptions
from actors.uploader import FolderUploader
from protocol.assignment import Assignment
from protocol.errors import Closed, Fenced
from protocol.message import verify
from protocol.wallet import Wallet
from storage import MemoryJournal
from tests.auditor import audit, require_acknowledged, require_kept, require_no_equivocation
from tests.crash.answers import PATIENCE_SECONDS, answers
from tests.crash.telling import Item


class LosingProbe:
    """Lose the outcome of the next commit that comes to a point, once told to."""

    def __init__(self, journal: MemoryJournal, point: Point, *, applied: bool) -> None:
        self.armed = False
        self._journal = journal
        self._point = point
        self._applied = applied

    def __call__(self, point: Point) -> None:
        if self.armed and point is self._point:
            self.armed = False
            self._journal.fail_next("append", applied=self._applied)


@pytest.mark.guarantee("S1", "S4", "S5", "S6", "S13", "L1")
@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize(
    "point",
    [Point.BEFORE_PIN_COMMIT, Point.BEFORE_COMMITMENT_COMMIT, Point.BEFORE_RECEIPT_COMMIT],
)
def test_a_lost_commit_never_changes_an_answer(
    point: Point,
    applied: bool,
    one_process: tuple[Item, ...],
    wallets: tuple[Wallet, ...],
    tmp_path: Path,
) -> None:
    """Whether a lost commit landed or not: asked again, every message has the slot it was told."""
    spawn, *messages = one_process
    journal = MemoryJournal()
    probe = LosingProbe(journal, point, applied=applied)
    with running(journal, ShardOptions(wallets, FolderUploader(tmp_path), probe=probe)) as shard:
        answers(send(shard, spawn))
        probe.armed = True
        before = [answers(ticket) for ticket in [send(shard, message) for message in messages]]
        assert isinstance(shard.fence, Fenced)
        assert any(Stage.PUBLISHED not in each for each in before)
    journal = journal.reopen()
    require_kept(journal, told(before))
    with running(journal, ShardOptions(wallets, FolderUploader(tmp_path))) as shard:
        after = [answers(send(shard, item)) for item in one_process]
    journal = journal.reopen()
    found = audit(journal, unique=True)
    require_no_equivocation(told([*before, *after]))
    require_acknowledged(found, told([*before, *after], Stage.STORED))
    assert [each[Stage.PUBLISHED] for each in after] == found[spawn.id]


@contextmanager
def running(journal: MemoryJournal, options: ShardOptions) -> Iterator[Shard]:
    shard = Shard(journal, options)
    shard.start()
    try:
        yield shard
    finally:
        shard.close()


def send(shard: Shard, item: Item) -> Ticket:
    ticket = shard.ticket(PATIENCE_SECONDS)
    try:
        shard.submit(verify(item.message), ticket)
    except Closed as exc:
        ticket.fail(exc)
    return ticket


def told(
    answered: Iterable[dict[Stage, Assignment]], stage: Stage = Stage.ASSIGNED
) -> list[Assignment]:
    """Every assignment that was called `stage`, or more."""
    return [each[reached] for each in answered for reached in each if reached >= stage]
