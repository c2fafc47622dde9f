"""As much of a page as can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from protocol.entry import Entries, Entry
from protocol.errors import InvalidInput

Node = TypeVar("Node")


def readable(nodes: Iterable[Node], read: Callable[[Node], Entry], *, more: bool) -> Entries:
    """Read the slots of a page up to the first one that cannot be.

    Nodes in use send slots whose signatures they lost. What stands before such a slot is as
    good as ever; asked for by itself, the slot is an error.

    Args:
        nodes: slots as they were sent, in order.
        read: raises `InvalidInput` or `ValueError` for what it cannot read.
        more: whether the range goes on after the last of them.

    Raises:
        InvalidInput, ValueError: the very first one cannot be read.
    """
    entries: list[Entry] = []
    for node in nodes:
        try:
            entries.append(read(node))
        except (InvalidInput, ValueError):
            if not entries:
                raise
            return Entries(tuple(entries), more=True)
    return Entries(tuple(entries), more)
