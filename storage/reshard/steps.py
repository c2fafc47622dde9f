"""What resharding says about itself, on the way and at the end."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """What is being done, in this order."""

    CHECKING = "checking"
    """The old shards' files are walked; counts shards. Left out when copying goes on."""
    COPYING = "copying"
    """Counts records."""
    VERIFYING = "verifying"
    """Counts slots of the new shards. From its end on it only goes forward."""
    REPLACING = "replacing"
    """The manifest is replaced: before this the store has its old shards, after it the new."""
    REMOVING = "removing"
    """The old shards are removed; counts shards."""


class Outcome(StrEnum):
    """How it ended."""

    NOTHING = "nothing"
    """The store has that many shards already."""
    GIVEN_UP = "given up"
    """An unfinished resharding is undone; the store opens as before."""
    DONE = "done"
    """The store has that many shards now, and they were verified."""


Announce = Callable[[Step, int, int], None]
"""Is told the step, how much of it is done, and how much there is."""
