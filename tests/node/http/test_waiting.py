"""Requests that wait for other servers: so many, and at nobody else's expense."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from node.http.app import application
from node.http.waiting import MAX_ASKING, asking_peers
from protocol.errors import Overloaded
from protocol.ids import Id
from tests.node.http.service import Service

PATIENCE_SECONDS = 30


@pytest.mark.guarantee("L2")
def test_one_too_many_is_told_to_come_back() -> None:
    """At once, instead of standing behind the others; and is served once they are."""

    async def scenario() -> None:
        async with peers_that_are_slow():
            with pytest.raises(Overloaded):
                await asking_peers(int)
        assert await asking_peers(int) == 0

    asyncio.run(scenario())


def test_what_is_kept_here_waits_for_no_other_server(service: Service, process: Id) -> None:
    """The next slot of our own process comes at once, however slow all others are."""

    async def scenario() -> int:
        transport = httpx.ASGITransport(application(service.node))
        async with (
            peers_that_are_slow(),
            httpx.AsyncClient(transport=transport, base_url="http://node") as client,
            asyncio.timeout(PATIENCE_SECONDS),
        ):
            return (await client.get(f"/{process}/next?at-slot=-1")).status_code

    assert asyncio.run(scenario()) == 200


@asynccontextmanager
async def peers_that_are_slow() -> AsyncIterator[None]:
    """Have as many requests wait for other servers as may."""
    answered = threading.Event()
    asking = [
        asyncio.create_task(asking_peers(answered.wait, PATIENCE_SECONDS))
        for _ in range(MAX_ASKING)
    ]
    # Each has begun after one turn of the loop.
    await asyncio.sleep(0)
    try:
        yield
    finally:
        answered.set()
        await asyncio.gather(*asking)
