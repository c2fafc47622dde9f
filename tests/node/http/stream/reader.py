"""A reader of an event stream, speaking ASGI to an application in the test's own loop."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

import orjson
from starlette.types import ASGIApp

PATIENCE_SECONDS = 30


class Reader:
    """One request and what is sent to it; an async context manager that hangs up at its end.

    Attributes:
        status, headers: of the response.
        finished: whether the response was brought to its end.
    """

    def __init__(self, app: ASGIApp, address: str = "/", **headers: str) -> None:
        path, _, query = address.partition("?")
        named = {"accept": "text/event-stream"} | headers
        self.status = 0
        self.headers: dict[str, str] = {}
        self.finished = False
        self._app = app
        self._scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in named.items()],
        }
        self._asked = False
        self._gone = asyncio.Event()
        self._taking = asyncio.Event()
        self._taking.set()
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()

    def stop_reading(self) -> None:
        """Take nothing more, and stay connected."""
        self._taking.clear()

    def leave(self) -> None:
        """Hang up."""
        self._gone.set()

    async def chunk(self) -> bytes:
        """Return what is sent next."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._chunks.get()

    async def event(self) -> tuple[int, dict[str, Any]]:
        """Return slot and content of the next event, passing over comments."""
        while True:
            lines = (await self.chunk()).decode().splitlines()
            fields = dict(line.split(": ", 1) for line in lines if line and line != ":")
            if "id" in fields:
                return int(fields["id"]), orjson.loads(fields["data"])

    async def ended(self) -> None:
        """Wait for the application to return."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._serving

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            return
        await self._taking.wait()
        self.finished = not message.get("more_body", False)
        self._chunks.put_nowait(message["body"])

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(self._app(self._scope, self._receive, self._send))
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.leave()
        await self.ended()
