"""Signing replies that nobody has signed yet, where the operator wants that."""

from __future__ import annotations

from dataclasses import replace

from node.http.replies import Reply
from node.http.waiting import apart
from node.node import Node
from protocol.codecs.httpsig_commitment import commit
from protocol.tabm import COMMITMENTS


async def signed(node: Node, reply: Reply) -> Reply:
    """Return the reply signed by the operator, if replies are to be signed.

    An assignment, or any other message that comes with its commitments, stays as it is. So does
    a part of one: the operator's wallet vouches for no word of a stranger, who could have it
    sign a location record or an assignment that way.
    """
    vouched = reply.ours and COMMITMENTS not in reply.tabm
    if not (node.config.replies.sign_replies and vouched):
        return reply
    tabm = await apart(commit, reply.tabm, node.operator)
    return replace(reply, tabm=tabm, fields=tuple(map(_weakened, reply.fields)))


def _weakened(field: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    # Each signature is another one: the reply says the same again, not byte for byte.
    name, value = field
    return (name, b"W/" + value) if name == b"etag" else field
