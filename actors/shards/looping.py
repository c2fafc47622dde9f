"""The child's side of supervision where the main thread runs an asyncio loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from actors.shards.control import Control


async def until_told(control: Control) -> None:
    """Beat until this program is told to end, beside the other tasks of the loop.

    As `Control.run`: on return there is a limited time to end in good order.
    """
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def look() -> None:
        if control.told():
            told.set()

    for number in control.filenos():
        loop.add_reader(number, look)
    try:
        while not told.is_set():
            control.beat()
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), control.beat_seconds)
            look()
    finally:
        for number in control.filenos():
            loop.remove_reader(number)
    control.limit_end()
