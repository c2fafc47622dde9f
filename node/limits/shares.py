"""What one of several gateways may use of what the node may use."""

from __future__ import annotations

import math

from node.config import Limits

DEVIATIONS = 3
"""Standard deviations beyond a fair part: nearly always enough for what chance deals out."""


def share(limits: Limits, gateways: int) -> Limits:
    """Return the limits of one of `gateways`, all of which together keep about to `limits`.

    The system deals connections out by chance, so each gateway takes a little more of them than
    its part: a client within the limits is then refused by none. Rates stay as they are, because
    the gateways count them together.
    """
    return limits.model_copy(
        update={
            "connections": _dealt(limits.connections, gateways),
            "connections_per_address": _dealt(limits.connections_per_address, gateways),
            "buffered_bytes": math.ceil(limits.buffered_bytes / gateways),
        }
    )


def _dealt(most: int, gateways: int) -> int:
    part = most / gateways
    return min(most, math.ceil(part + DEVIATIONS * math.sqrt(part)))
