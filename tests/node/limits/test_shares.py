"""What one of several gateways may use."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from node.config import Limits
from node.limits.shares import share


def test_one_gateway_has_everything() -> None:
    """Nothing is divided where there is nobody to divide with."""
    assert share(Limits(), 1) == Limits()


@pytest.mark.parametrize("gateways", [2, 3, 8])
def test_a_client_within_the_limits_is_refused_by_no_gateway(gateways: int) -> None:
    """Connections dealt out by chance fit into the shares, which are about the whole."""
    limits = Limits(connections=4096, connections_per_address=256)
    part, chance = share(limits, gateways), random.Random(gateways)
    for most, allowed in (
        (limits.connections, part.connections),
        (limits.connections_per_address, part.connections_per_address),
    ):
        dealt = Counter(chance.randrange(gateways) for _ in range(most))
        assert max(dealt.values()) <= allowed
        assert most <= allowed * gateways <= 1.6 * most


def test_small_limits_stay_whole() -> None:
    """Two connections may both come to the same gateway."""
    part = share(Limits(connections=4, connections_per_address=2), 2)
    assert (part.connections, part.connections_per_address) == (4, 2)


def test_the_rates_and_what_one_request_may_use_are_not_divided() -> None:
    """Only what all requests have in common is: the rates are counted together."""
    limits = Limits()
    part = share(limits, 4)
    changed = {name for name in Limits.model_fields if getattr(part, name) != getattr(limits, name)}
    assert changed == {"connections", "connections_per_address", "buffered_bytes"}
    assert part.buffered_bytes * 4 == limits.buffered_bytes
