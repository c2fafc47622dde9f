"""What the gateways of a node are told by the program that starts them."""

from __future__ import annotations

from dataclasses import dataclass

from node.commons import Membership
from node.config import Config


@dataclass(frozen=True, slots=True)
class GatewayOrder:
    """What a gateway's program is told; it travels pickled, over an inherited socket.

    Attributes:
        config: of the node, with this gateway's share of the limits.
        port: reserved for all gateways.
        member: what it shares with the other programs; secret.
    """

    config: Config
    port: int
    member: Membership
