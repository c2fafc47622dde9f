"""Work that would hold up the event loop, on threads of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Two pools: peers that answer slowly hold up nobody who reads from our own store.
_OWN = ThreadPoolExecutor(4, "http-own")
_PEERS = ThreadPoolExecutor(32, "http-peers")


async def apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do what takes some milliseconds of our own time: a page, a signature, a large message."""
    return await _on(_OWN, lambda: work(*args, **kwargs))


async def asking_peers(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do what may wait for other servers."""
    return await _on(_PEERS, lambda: work(*args, **kwargs))


async def _on(pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(pool, work)
