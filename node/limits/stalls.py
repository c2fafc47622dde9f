"""Give up on clients that do not take their reply."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from actors.events import log

STALL_SECONDS = 30.0
"""How long one piece of a reply may wait for its client to take the ones before it."""


class StallLimit:
    """End a reply of `app` that its client leaves standing.

    A server waits with each piece until the client has room for it. Without an end to that, a
    client that reads nothing would hold a page of a schedule in memory for as long as it likes.
    """

    def __init__(self, app: ASGIApp, seconds: float = STALL_SECONDS) -> None:
        """Let each piece wait for so many seconds."""
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        stalled = False

        async def timely(message: Message) -> None:
            nonlocal stalled
            try:
                async with asyncio.timeout(self._seconds):
                    await send(message)
            except TimeoutError:
                stalled = True
                raise

        try:
            await self._app(scope, receive, timely)
        except TimeoutError:
            if not stalled:
                raise
            log.warning("reply_not_taken", path=scope["path"], seconds=self._seconds)
