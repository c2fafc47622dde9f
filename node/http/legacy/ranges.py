"""Ranges of the legacy interface: by nonce or by timestamp, after `from` up to and with `to`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from protocol.errors import InvalidInput

PAGE_LIMIT = 1000
DEFAULT_LIMIT = 100
MAX_DIGITS = 18
"""No slot and no time in milliseconds is longer."""

Timestamp = Callable[[int], int]
"""Milliseconds of a slot; slots never go back in time."""


@dataclass(frozen=True, slots=True)
class Range:
    """What part of a schedule a request asks for.

    Attributes:
        after: nonce or timestamp after which it begins; None: with the process itself.
        to: the last nonce or timestamp; None: to the newest slot.
        limit: most slots in one page.
        by_nonce: whether both are nonces, and so is the cursor.
    """

    after: int | None
    to: int | None
    limit: int
    by_nonce: bool

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Self:
        """Read `from-nonce`, `to-nonce`, `from`, `to` and `limit`; nonces win over times.

        Raises:
            InvalidInput: one of them is no whole number, or `limit` is not above zero.
        """
        by_nonce = "from-nonce" in query or "to-nonce" in query
        names = ("from-nonce", "to-nonce") if by_nonce else ("from", "to")
        after, to = (_number(query, name) for name in names)
        limit = _number(query, "limit")
        if limit is None:
            limit = DEFAULT_LIMIT
        if limit < 1:
            raise InvalidInput("limit is at least 1")
        return cls(after, to, min(limit, PAGE_LIMIT), by_nonce)

    def slots(self, newest: int, timestamp: Timestamp) -> tuple[int, int, bool]:
        """Return the first and the last slot of the page, and whether the range goes on.

        A page by timestamp ends with all slots of its last millisecond: its cursor names the
        time alone, and whoever continues from it must not miss one. There is no page, when
        the last comes before the first.

        Args:
            newest: the highest stored slot.
            timestamp: tells the milliseconds of a slot from 0 to `newest`.
        """
        if self.by_nonce:
            first = 0 if self.after is None else max(0, self.after + 1)
            final = newest if self.to is None else min(newest, self.to)
            last = min(final, first + self.limit - 1)
            return first, last, last < final
        slots = range(newest + 1)
        first = 0
        if self.after is not None:
            # Clients that name a time have the process already, or do not want it.
            first = max(1, bisect_right(slots, self.after, key=timestamp))
        final = newest if self.to is None else bisect_right(slots, self.to, key=timestamp) - 1
        last = min(final, first + self.limit - 1)
        if first <= last < final:
            last = bisect_right(slots, timestamp(last), key=timestamp) - 1
        return first, last, last < final


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= MAX_DIGITS):
        raise InvalidInput(f"{name} is no whole number")
    return int(text)
