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

    An assignment, or any other message that comes with its commitments, stays as it is.
    """
    if not node.config.replies.sign_replies or COMMITMENTS in reply.tabm:
        return reply
    tabm = await apart(commit, reply.tabm, node.operator)
    return replace(reply, tabm=tabm, fields=tuple(map(_weakened, reply.fields)))


def _weakened(field: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    # Each signature is another one: the reply says the same again, not byte for byte.
    name, value = field
    return (name, b"W/" + value) if name == b"etag" else field
