"""How a gateway's program is begun."""

from __future__ import annotations

from actors.shards.child import ChildSpec
from actors.shards.control import Control
from node.serving.orders import GatewayOrder


def gateway_spec(number: int, order: GatewayOrder) -> ChildSpec:
    """Return what a supervisor runs one gateway by."""
    return ChildSpec(f"gateway {number}", number, _run, (order,))


def _run(control: Control, order: GatewayOrder) -> None:
    # Only there: whoever names this function serves nothing, and need not import a server.
    from node.serving.gateway import run_gateway

    run_gateway(control, order)
