"""What a forked child must let go of: it shares files and locks that are its parent's."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Shared(Protocol):
    """Something of the parent that a forked child must not use."""

    def after_fork(self) -> None:
        """Give it up in the child; the parent's stays untouched."""


_held: weakref.WeakSet[Shared] = weakref.WeakSet()


def give_up_in_children(shared: Shared) -> None:
    """Call `shared.after_fork` in every child forked while `shared` is alive."""
    _held.add(shared)


def _in_child() -> None:
    for shared in list(_held):
        shared.after_fork()


os.register_at_fork(after_in_child=_in_child)
