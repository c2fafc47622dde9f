"""The response that goes on: stored slots of one process, for as long as somebody reads them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from actors.events import log
from actors.scheduler import Scheduler
from node.http.stream.events import HEARTBEAT, OPENING, events
from node.http.stream.streams import Streams
from node.http.waiting import apart
from protocol.errors import SchedulerError
from protocol.ids import Id

BATCH = 32
"""Slots read at once; a reader that is far behind gets many such batches."""

HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    # Proxies that know it pass on each event as it comes.
    (b"x-accel-buffering", b"no"),
]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a stream waits.

    Attributes:
        idle: seconds without news after which a heartbeat is sent.
        slow: seconds in which a reader has to take an event; one that does not is cut.
    """

    idle: float = 15.0
    slow: float = 10.0


PATIENCE = Patience()


class EventStream:
    """Send every slot from `first` on, stored already or later; an ASGI application.

    Ends when the reader is gone or slow, or when the node shuts down. What is sent is read
    from the store, so a reader that is behind costs no memory.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        streams: Streams,
        process: Id,
        first: int,
        patience: Patience = PATIENCE,
    ) -> None:
        """Take what to send, and where to be known while doing so."""
        self._scheduler = scheduler
        self._streams = streams
        self._process = process
        self._next = first
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve until the end.

        Raises:
            SchedulerError: nothing can be sent at all.
        """
        sending = asyncio.create_task(self._send(send))
        gone = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            gone.cancel()
            outcomes = await asyncio.gather(sending, gone, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def _send(self, send: Send) -> None:
        async with contextlib.aclosing(self._chunks()) as chunks:
            # Who cannot be served is told so while there is no response yet.
            first = await anext(chunks)
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            try:
                await self._pass_on(first, send)
                async for chunk in chunks:
                    await self._pass_on(chunk, send)
            except (TimeoutError, SchedulerError) as exc:
                # The connection ends amid the response: the reader comes back where it was.
                log.warning(
                    "stream_cut", process=self._process, next_slot=self._next, reason=repr(exc)
                )
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pass_on(self, chunk: bytes, send: Send) -> None:
        async with asyncio.timeout(self._patience.slow):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        news, loop = asyncio.Event(), asyncio.get_running_loop()

        def wake(_stored: int) -> None:
            # A loop that was closed meanwhile has nobody left to wake.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(news.set)

        # Before the first look into the store: what is stored after that look is news.
        unsubscribe = self._scheduler.subscribe(self._process, wake)
        try:
            self._streams.opened(news)
            yield OPENING
            while not self._streams.ended():
                news.clear()
                batch = await apart(self._read)
                for chunk in batch:
                    if self._streams.ended():
                        return
                    yield chunk
                    self._next += 1
                if not batch and not await self._told(news):
                    yield HEARTBEAT
        finally:
            unsubscribe()
            self._streams.closed(news)

    def _read(self) -> list[bytes]:
        return events(self._scheduler.entries(self._process, self._next, None, BATCH).entries)

    async def _told(self, news: asyncio.Event) -> bool:
        try:
            await asyncio.wait_for(news.wait(), self._patience.idle)
        except TimeoutError:
            return False
        return True


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
