"""What one request, one client and all of them together may use; cheap checks first."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp

from node.config import Config
from node.http.problems import problem
from node.limits.addresses import Clients
from node.limits.bodies import BodyLimit
from node.limits.buckets import Buckets
from node.limits.heads import HeadLimit
from node.limits.levels import Levels
from node.limits.rates import AddressRate, SignerRate
from node.limits.refusing import Refuser, Written
from node.limits.spreading import Spread
from node.limits.stalls import StallLimit

__all__ = ["SignerRate", "limited"]


def limited(
    app: ASGIApp,
    config: Config,
    refused: Callable[[str], None] = lambda _code: None,
    written: Written = lambda error, _scope: problem(error),
    addresses: Levels | None = None,
) -> ASGIApp:
    """Return `app` behind the limits of the configuration.

    A request passes the rate of its address, the look at its head and the reading of its
    body, in this order; only then does the application run.

    Args:
        app: what to guard.
        config: of the limits, and of the proxies whose word is taken.
        refused: told the code of each refusal.
        written: makes the reply to a refused request.
        addresses: where it is kept how much of its rate each has left; in memory unless given.
    """
    limits, refuse = config.limits, Refuser(refused, written)
    app = BodyLimit(
        app,
        refuse,
        max_bytes=limits.body_bytes,
        max_buffered_bytes=max(limits.buffered_bytes, limits.body_bytes),
        seconds=limits.body_seconds,
    )
    app = HeadLimit(app, refuse, max_bytes=limits.header_bytes, max_headers=limits.headers)
    if limits.rate_per_address:
        clients = Clients(config.server.trusted_proxies)
        buckets = Buckets(limits.rate_per_address, levels=addresses)
        app = AddressRate(app, refuse, buckets, clients)
    return Spread(StallLimit(app))
