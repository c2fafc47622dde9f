"""Read each body before the application runs: counted, by a deadline, within a common budget."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from node.errors import RequestTimeout
from node.limits.refusing import LINGER_SECONDS, Refuser
from protocol.errors import Overloaded, SchedulerError, TooLarge

MAX_DIGITS = 18
"""Of a length; a longer one is too large by its first digits already."""


class BodyLimit:
    """Hand `app` requests whose body is there, as one piece.

    No application code runs for a client that is slow to send, and none has to take care.
    """

    def __init__(
        self,
        app: ASGIApp,
        refuse: Refuser,
        *,
        max_bytes: int,
        max_buffered_bytes: int,
        seconds: float,
    ) -> None:
        """Take bodies of at most `max_bytes`, complete after `seconds`.

        All bodies that are being read or worked on have at most `max_buffered_bytes`.
        """
        self._app = app
        self._refuse = refuse
        self._max_bytes = max_bytes
        self._max_buffered = max_buffered_bytes
        self._seconds = seconds
        self.buffered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        held = _Held(self)
        try:
            if (outcome := await self._read(scope, receive, held)) is None:
                return
            if isinstance(outcome, SchedulerError):
                linger = 0 if isinstance(outcome, RequestTimeout) else LINGER_SECONDS
                await self._refuse(outcome, scope, receive, send, linger=linger)
            else:
                await self._app(scope, _replay(outcome, receive), send)
        finally:
            held.release()

    async def _read(
        self, scope: Scope, receive: Receive, held: _Held
    ) -> bytes | SchedulerError | None:
        # The body, or why it is refused, or None when the client is gone.
        if (declared := _declared(scope)) > self._max_bytes:
            return self._too_large(declared)
        try:
            async with asyncio.timeout(self._seconds):
                return await self._collect(receive, held)
        except TimeoutError:
            return RequestTimeout(f"the body was not complete after {self._seconds:g} seconds")

    async def _collect(self, receive: Receive, held: _Held) -> bytes | SchedulerError | None:
        body = bytearray()
        while (message := await receive())["type"] != "http.disconnect":
            body += (piece := message.get("body", b""))
            held.take(len(piece))
            if len(body) > self._max_bytes:
                return self._too_large(len(body))
            if self.buffered > self._max_buffered:
                return Overloaded("too many large requests at once")
            if not message.get("more_body"):
                return bytes(body)
        return None

    def _too_large(self, size: int) -> TooLarge:
        return TooLarge(f"the body is {size} bytes or more, over {self._max_bytes}")


class _Held:
    # What one request holds of the common budget.

    def __init__(self, limit: BodyLimit) -> None:
        self._limit = limit
        self._size = 0

    def take(self, size: int) -> None:
        self._size += size
        self._limit.buffered += size

    def release(self) -> None:
        self._limit.buffered -= self._size


def _declared(scope: Scope) -> int:
    # Servers have checked that it is a number; what is none is found out by counting.
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:MAX_DIGITS])
    return 0


def _replay(body: bytes, receive: Receive) -> Receive:
    whole: Message | None = {"type": "http.request", "body": body, "more_body": False}

    async def replayed() -> Message:
        # After the body there is only the end of the connection to wait for.
        nonlocal whole
        if whole is None:
            return await receive()
        message, whole = whole, None
        return message

    return replayed
