"""Work that would hold up the event loop, on threads of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import ParamSpec, TypeVar

from protocol.errors import Overloaded

P = ParamSpec("P")
T = TypeVar("T")

MAX_ASKING = 256
"""Requests that wait for other servers, or for a thread that does. A server that takes its ten
seconds each time would else have all later ones wait for minutes."""

# Two pools: peers that answer slowly hold up nobody who reads from our own store.
_OWN = ThreadPoolExecutor(4, "http-own")
_PEERS = ThreadPoolExecutor(32, "http-peers")
_asking = BoundedSemaphore(MAX_ASKING)


async def apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do what takes some milliseconds of our own time: a page, a signature, a large message."""
    return await _on(_OWN, lambda: work(*args, **kwargs))


async def asking_peers(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do what may wait for other servers.

    Raises:
        Overloaded: too many requests do that already.
    """
    if not _asking.acquire(blocking=False):
        raise Overloaded("too many requests wait for other servers")
    try:
        return await _on(_PEERS, lambda: work(*args, **kwargs))
    finally:
        _asking.release()


async def _on(pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(pool, work)
