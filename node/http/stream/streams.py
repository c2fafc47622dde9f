"""All open event streams of a node, so that they end when it does."""

from __future__ import annotations

import asyncio

from protocol.errors import Overloaded

MAX_OPEN = 2000
"""Streams at once, 70 MB. One connection of HTTP/2 has room for a hundred, and each new slot is
read and written for every reader of its process."""


class Streams:
    """Know the open streams. Belongs to the event loop that serves them."""

    def __init__(self, most: int = MAX_OPEN) -> None:
        """Let so many be open at once."""
        self._most = most
        self._open: set[asyncio.Event] = set()
        self._ended = False

    def ended(self) -> bool:
        """Tell whether the node is shutting down, so that no stream goes on."""
        return self._ended

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, news: asyncio.Event) -> None:
        """Take a stream that waits for `news`.

        Raises:
            Overloaded: there are too many already.
        """
        if len(self._open) >= self._most:
            raise Overloaded("too many event streams are open")
        self._open.add(news)

    def closed(self, news: asyncio.Event) -> None:
        """Forget a stream."""
        self._open.discard(news)

    def end(self) -> None:
        """Have every stream end after what it is sending. Idempotent."""
        self._ended = True
        for news in self._open:
            news.set()
