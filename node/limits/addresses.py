"""Who a request is from: the address that its rate and its connections are counted under."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from starlette.types import Scope

IPV6_PREFIX = 64
"""Bits of an IPv6 address that tell customers apart; each of them has all the addresses below."""

UNKNOWN = "unknown"


class Clients:
    """Tell who a request or a connection is from, behind known proxies, too."""

    def __init__(self, trusted_proxies: Iterable[str] = ()) -> None:
        """Believe `x-forwarded-for` of these addresses and networks.

        Raises:
            ValueError: one of them is neither.
        """
        self._trusted = [ip_network(proxy) for proxy in trusted_proxies]

    def of_request(self, scope: Scope) -> str:
        """Return the key of the client that a request came from."""
        client = scope.get("client")
        peer = client[0] if client else UNKNOWN
        if not self._trusted or not self.trusts(peer):
            return key_of(peer)
        return key_of(self._forwarded(scope) or peer)

    def trusts(self, peer: str) -> bool:
        """Tell whether `peer` is one of the proxies."""
        address = _address(peer)
        return address is not None and any(address in network for network in self._trusted)

    def _forwarded(self, scope: Scope) -> str | None:
        # Each proxy appends whom it saw: the last one that is no proxy of ours is the client,
        # and what stands before it is only what the client said.
        values = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        hops = b",".join(values).decode("latin-1").split(",")
        return next((hop.strip() for hop in reversed(hops) if not self.trusts(hop.strip())), None)


@lru_cache(4096)
def key_of(peer: str) -> str:
    """Return what an address is counted under: itself, or its network of 64 bits."""
    address = _address(peer)
    match address:
        case None:
            return UNKNOWN
        case IPv6Address():
            return str(ip_network((int(address) >> IPV6_PREFIX << IPV6_PREFIX, IPV6_PREFIX)))
        case _:
            return str(address)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
