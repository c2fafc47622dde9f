"""A gateway: the program that speaks HTTP for a node of several programs."""

from __future__ import annotations

import asyncio
import threading
from contextlib import closing

from actors.events import log
from actors.shards.control import Control
from actors.shards.looping import until_told
from node.node import Node
from node.running import open_node
from node.serving.orders import GatewayOrder
from node.serving.service import answer
from node.serving.sockets import Sockets, bind

POLL_SECONDS = 0.02
"""Between two looks at whether the shards are there when all programs start."""


def run_gateway(control: Control, order: GatewayOrder) -> None:
    """Be a gateway until told to end; then answer what is under way.

    Raises:
        SchedulerError: the node cannot be joined.
        OSError: the address cannot be listened on.
    """
    log.configure(order.config.log.level)
    # In this order: connections that come before this one listens go to the others.
    with (
        open_node(order.config, order.member) as node,
        closing(bind(order.config, order.port)) as sockets,
    ):
        if control.generation == 1:
            _wait_for_shards(node)
        asyncio.run(_until_told(control, node, sockets))


def _wait_for_shards(node: Node) -> None:
    # They start at the same time; whoever has gone on without this gateway need not wait.
    pause = threading.Event()
    while any(shard.state != "ready" for shard in node.scheduler.status().shards):
        pause.wait(POLL_SECONDS)


async def _until_told(control: Control, node: Node, sockets: Sockets) -> None:
    stop = asyncio.Event()
    control.ready()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_listen_to(control, stop))
        await answer(node, sockets, stop)


async def _listen_to(control: Control, stop: asyncio.Event) -> None:
    # From within the loop that serves: one that is stuck falls silent, and is killed.
    await until_told(control)
    stop.set()
