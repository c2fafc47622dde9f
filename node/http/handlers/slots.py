"""The newest slot of a schedule, and the slot after another one."""

from __future__ import annotations

from starlette.responses import Response

from node.http.admission import is_large
from node.http.caching import lasting, unchanged
from node.http.numbers import number
from node.http.places import elsewhere, follows, process_of, redirect
from node.http.replies import NO_STORE, Reply
from node.http.request import Call
from node.http.waiting import apart, asking_peers
from node.node import Node
from node.peers.finding import Elsewhere
from protocol.codecs import assignment as assignments
from protocol.codecs.structured import to_tabm
from protocol.entry import Entry
from protocol.errors import InvalidInput
from protocol.ids import Id


async def slot(node: Node, call: Call) -> Reply | Response:
    """Answer with the highest stored slot of a process, `current`, and the newest block.

    `current` is -1 for a process that is ours to schedule and has no slot yet.

    Raises:
        InvalidInput: no process is named.
        NotFound: nobody knows the process.
    """
    process = process_of(node, call)
    place = await elsewhere(node, call, process)
    if place is None:
        current = node.scheduler.slot(process) if node.scheduler.has(process) else -1
    elif follows(node, call):
        current = await asking_peers(node.remote.slot, place, process)
    else:
        return redirect(call, place, process)
    return Reply(to_tabm(_standing(node, process, current)), NO_STORE)


async def following(node: Node, call: Call) -> Reply | Response:
    """Answer with the assignment of the slot after `at-slot`, under `body`.

    Raises:
        InvalidInput: `at-slot` is no whole number, or no process is named.
        NotFound: there is no such slot yet, or nobody knows the process.
        UnexpectedSlot: its scheduler gave another one.
    """
    process, at_slot = process_of(node, call), number(call, "at-slot")
    if at_slot is None or at_slot < -1:
        raise InvalidInput("at-slot is the slot before the one wanted, -1 for slot 0")
    place = await elsewhere(node, call, process)
    if place is not None and not follows(node, call):
        return redirect(call, place, process)
    form = call.form
    fields = NO_STORE if place is not None else lasting(call, process, "next", at_slot)
    entry = await _next(node, place, process, at_slot)
    body = entry.message.tabm if form.bundle else None
    tabm = {b"body": assignments.tabm(entry.assignment, body)}
    reply = Reply(tabm, fields, body is not None and is_large(entry.message))
    return unchanged(call, fields) or reply


async def _next(node: Node, place: Elsewhere | None, process: Id, at_slot: int) -> Entry:
    # What is kept here waits for nobody who asks another server.
    if place is None:
        return await apart(node.lookahead.next, node.scheduler, process, at_slot)
    return await asking_peers(node.lookahead.next, node.remote.source(place), process, at_slot)


def _standing(node: Node, process: Id, current: int) -> dict[str, int | str | list[str]]:
    block, addresses = node.blocks.latest(), _addresses(node, process)
    return {
        "process": str(process),
        "current": current,
        "timestamp": block.timestamp,
        "block-height": block.height,
        "block-hash": block.hash,
        "addresses": addresses,
        # By its older name, which clients of May 2025 read.
        "wallet-address": addresses[0],
        "cache-control": "no-store",
    }


def _addresses(node: Node, process: Id) -> list[str]:
    if node.scheduler.has(process):
        return [str(signer) for signer in node.scheduler.terms(process).signers]
    return [str(address) for address in node.addresses]
