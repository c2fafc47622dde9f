"""How a program ended, in words: what exit codes and signals mean."""

from __future__ import annotations

import signal

FENCED_EXIT = 80
"""A shard whose store is in a state it does not know; only reopening can tell."""

ORPHANED_EXIT = 81
"""A program whose parent was gone before it was ready."""

HURRIED_EXIT = 82
"""A program that was told to end a second time, and did so at once."""

_MEANINGS = {
    0: "ended by itself",
    FENCED_EXIT: "was fenced",
    ORPHANED_EXIT: "found its parent gone",
    HURRIED_EXIT: "was signalled to end twice, and ended at once",
    -signal.SIGALRM: "took too long to end, and ended itself",
    -signal.SIGKILL: "was killed by SIGKILL, as by an operator or for want of memory",
}


def ending(code: int | None) -> str:
    """Say how a program ended.

    Args:
        code: its exit code, below zero for the signal that ended it; None when somebody else
            in this program has taken it.
    """
    if code is None:
        return "ended in a way that is not known"
    if code in _MEANINGS:
        return _MEANINGS[code]
    return f"ended with exit code {code}" if code > 0 else f"was ended by {_name(-code)}"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time one
        return f"signal {number}"
