"""A node as a service: from the configuration to the last answered request."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import closing

from starlette.types import ASGIApp

from node.config import Config
from node.http.app import application
from node.http.refusals import refusals
from node.limits import limited
from node.metrics.measuring import Measured
from node.node import Node
from node.running import open_node
from node.serving.hypercorn import serve
from node.serving.sockets import Sockets, address_of, bind

ENDING = (signal.SIGINT, signal.SIGTERM)


def run(config: Config, announce: Callable[[str], None]) -> None:
    """Serve a node from this program, until it is interrupted or told to terminate.

    Requests under way are answered, for as long as their grace, what was accepted is stored,
    and then it returns. A second signal changes nothing; a store survives SIGKILL.

    Args:
        config: the effective configuration.
        announce: told the node's address once requests are taken.

    Raises:
        OSError: the address cannot be listened on.
        SchedulerError: the node cannot be opened.
    """
    # First, because it fails soonest; who connects meanwhile waits.
    with closing(bind(config)) as sockets, open_node(config) as node:
        asyncio.run(_until_told(node, sockets, announce))


def guarded(node: Node) -> ASGIApp:
    """Return the application of a node behind its limits, each request measured."""
    metrics = node.metrics
    app = limited(
        application(node), node.config, metrics.refused, refusals(node), node.address_levels
    )
    return Measured(app, metrics)


async def answer(node: Node, sockets: Sockets, stop: asyncio.Event) -> None:
    """Answer requests until `stop` is set, and then those under way within their grace."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_end_streams(node, stop))
        await serve(guarded(node), node.config, sockets, stop)


async def _until_told(node: Node, sockets: Sockets, announce: Callable[[str], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in ENDING:
        loop.add_signal_handler(number, stop.set)
    announce(address_of(node.config, sockets.port))
    await answer(node, sockets, stop)


async def _end_streams(node: Node, stop: asyncio.Event) -> None:
    # Others end by themselves; a stream would go on for as long as its grace.
    await stop.wait()
    node.streams.end()
