"""Where schedulers are to be found: records posted, and looked up."""

from __future__ import annotations

from node.http.replies import NO_STORE, Reply
from node.http.request import Call
from node.http.subjects import subject
from node.http.waiting import asking_peers
from node.node import Node
from protocol.errors import NotFound
from protocol.ids import Id
from protocol.location import Location
from protocol.message import Message
from protocol.tabm import Tabm


async def location(node: Node, call: Call) -> Reply:
    """Answer with the newest record of a scheduler, under `body`; the operator's by default.

    What is posted is a registration signed by the operator, or somebody's own record; it is
    answered with the record that stands.

    Raises:
        NotFound: no record of that address is known.
        StaleLocation: the nonce is not above the one known of the signer.
        InvalidInput: what was posted is neither.
    """
    if call.writes:
        message = subject(call, node.scheduler.message)
        return Reply(_tabm(await asking_peers(node.locations.take, message)), NO_STORE)
    named = call.get("address")
    address = Id.parse(named) if named else node.operator.address
    try:
        found = await asking_peers(node.locations.find, address)
    except NotFound:
        raise NotFound(f"No location found for address: {address}") from None
    return Reply({b"body": _tabm(found)}, NO_STORE)


def _tabm(found: Location) -> Tabm:
    return Message.decode(found.encoded, found.codec).tabm
