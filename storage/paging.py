"""Which slots a page holds."""

from __future__ import annotations

from storage.journal import PAGE_LIMIT, Head


def page_bounds(head: Head, first: int, last: int | None, limit: int) -> tuple[int, int, bool]:
    """Return first slot, last slot and "there is more" of a page.

    Only stored slots are in it; it is empty, last below first, when the range holds none.
    """
    end = head.stored if last is None else min(last, head.stored)
    first = max(first, 0)
    final = min(end, first + min(limit, PAGE_LIMIT) - 1)
    return first, final, final < end
