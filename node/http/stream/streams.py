"""All open event streams of a node, so that they end when it does."""

from __future__ import annotations

import asyncio


class Streams:
    """Know the open streams. Belongs to the event loop that serves them."""

    def __init__(self) -> None:
        self._open: set[asyncio.Event] = set()
        self._ended = False

    def ended(self) -> bool:
        """Tell whether the node is shutting down, so that no stream goes on."""
        return self._ended

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, news: asyncio.Event) -> None:
        """Take a stream that waits for `news`."""
        self._open.add(news)

    def closed(self, news: asyncio.Event) -> None:
        """Forget a stream."""
        self._open.discard(news)

    def end(self) -> None:
        """Have every stream end after what it is sending. Idempotent."""
        self._ended = True
        for news in self._open:
            news.set()
