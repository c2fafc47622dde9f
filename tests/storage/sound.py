"""A sound store to damage: made once, copied for each test."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from protocol.ids import Id
from protocol.wallet import Wallet
from storage import Batch, open_writer
from storage.verify import Fault, verify_store
from tests.storage.signed import SignedSchedule, receipt

PUBLISHED, STORED, PINNED = 3, 4, 5
"""The highest slots of process `one`; every slot of `two` is published."""

TOTALS = (Fault.FILE, None, None)
"""Found beside the place itself when there is a record more or less than was written."""


@dataclass
class Sound:
    """A closed store with two processes."""

    root: Path
    one: SignedSchedule
    two: SignedSchedule

    def copy_to(self, folder: Path) -> Sound:
        shutil.copytree(self.root, folder)
        return Sound(folder, self.one, self.two)

    def message(self, slot: int) -> Id:
        return self.one.pins[slot].assignment.message_id


def make_sound(root: Path, user: Wallet, wallet: Wallet) -> Sound:
    """Store two processes with real signatures."""
    one, two = SignedSchedule(user, wallet, 1), SignedSchedule(user, wallet, 2)
    with open_writer(root) as journal:
        journal.append(one.published(PUBLISHED + 1))
        journal.append(one.stored(STORED - PUBLISHED))
        journal.append(one.pinned(PINNED - STORED))
        journal.append(two.stored(3))
        journal.append(Batch(receipts=[receipt(assignment) for assignment in two.signed]))
    return Sound(root, one, two)


def found(root: Path, process: Id | None = None) -> set[tuple[Fault, Id | None, int | None]]:
    """Return what is wrong with a closed store: codes and places."""
    problems = verify_store(root, process, workers=0).problems
    return {(problem.code, problem.process, problem.slot) for problem in problems}
