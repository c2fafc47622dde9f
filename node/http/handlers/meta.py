"""What the node says about itself."""

from __future__ import annotations

from node.http.replies import NO_STORE, Reply
from node.http.request import Call
from node.http.waiting import apart
from node.node import Node
from protocol.assignment import VARIANT
from protocol.codecs.structured import to_tabm
from protocol.ids import Id
from protocol.tabm import Typed

MAX_PROCESSES = 1000
"""In one answer; `more` tells that there are others."""


async def status(node: Node, call: Call) -> Reply:
    """Answer with the node's address and its processes in key order, from the one `after`.

    Raises:
        InvalidId: `after` is no ID.
    """
    return await apart(_status, node, call)


async def info(node: Node, _call: Call) -> Reply:
    """Answer with the node's addresses, and how it schedules."""
    scheduling = node.config.scheduling
    said: dict[str, Typed] = {
        "device": "scheduler@1.0",
        "variant": VARIANT,
        "address": str(node.operator.address),
        "addresses": [str(address) for address in node.addresses],
        "mode": scheduling.mode.value,
        "scheduler-chain": scheduling.chain,
        "scheduler-commitment-spec": scheduling.commitment_device,
        "cache-control": "no-store",
    }
    return Reply(to_tabm(said), NO_STORE)


async def nothing(_node: Node, call: Call) -> Reply:
    """Answer `init` and `checkpoint`, which ask nothing of a scheduler that keeps all it has."""
    base = call.path.base
    return Reply(to_tabm({} if base is None else {"process": str(base)}), NO_STORE)


def _status(node: Node, call: Call) -> Reply:
    after = call.get("after")
    found = node.scheduler.store.processes(Id.parse(after) if after else None, MAX_PROCESSES + 1)
    said: dict[str, Typed] = {
        "address": str(node.operator.address),
        "processes": [str(process) for process in found[:MAX_PROCESSES]],
        "more": len(found) > MAX_PROCESSES,
        "shards": [shard.state for shard in node.scheduler.status().shards],
        "cache-control": "no-store",
    }
    return Reply(to_tabm(said), NO_STORE)
