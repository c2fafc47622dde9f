"""Which slots can be read: one, or a page of them."""

from __future__ import annotations

from protocol.errors import NotFound
from storage.journal import PAGE_LIMIT, Head


def require_stored(head: Head, slot: int) -> None:
    """Check that a slot can be read.

    Raises:
        NotFound: it is not stored.
    """
    if not 0 <= slot <= head.stored:
        raise NotFound(f"process {head.process} has no stored slot {slot}")


def page_bounds(head: Head, first: int, last: int | None, limit: int) -> tuple[int, int, bool]:
    """Return first slot, last slot and "there is more" of a page.

    Only stored slots are in it; it is empty, last below first, when the range holds none.
    """
    end = head.stored if last is None else min(last, head.stored)
    first = min(max(first, 0), head.stored + 1)
    final = min(end, first + min(limit, PAGE_LIMIT) - 1)
    return first, final, final < end
