"""Spread out the clients that are told to come back later."""

from __future__ import annotations

import random
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOLD_TO_WAIT = frozenset({429, 503})
SPREAD = 2
"""Whole seconds that a wait is made longer at most, or its own length if that is more."""


class Spread:
    """Make the `retry-after` of each reply of `app` a little longer, each time by another time.

    Else all who were refused in one moment come back in one moment.
    """

    def __init__(self, app: ASGIApp, draw: Callable[[int, int], int] = random.randint) -> None:
        """Lengthen by what `draw(0, most)` returns, in whole seconds."""
        self._app = app
        self._draw = draw

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def spread(message: Message) -> None:
            if message.get("status") in TOLD_TO_WAIT:
                message["headers"] = [self._longer(header) for header in message["headers"]]
            await send(message)

        await self._app(scope, receive, spread)

    def _longer(self, header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
        name, value = header
        if name != b"retry-after" or not value.isdigit():
            return header
        seconds = int(value)
        return name, b"%d" % (seconds + self._draw(0, max(SPREAD, seconds)))
