"""Which IP addresses lead to the public internet, and which to nobody else's business."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

_SPECIAL_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by the customers of a provider
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local; clouds serve credentials there
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
"""IANA's special-purpose registry. Spelled out, because what the standard library knows of it
differs from one patch release of Python to the next."""

_GLOBAL_6 = IPv6Network("2000::/3")
"""The only part of IPv6 that is given out; everything else is special."""

_SPECIAL_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which carries any IPv4 address
        "3fff::/20",  # documentation
    )
)

_NAT64 = IPv6Network("64:ff9b::/96")
"""How an IPv6-only network reaches IPv4: the last 32 bits are the address. RFC 6052."""

_NO_HOST = tuple(IPv4Network(network) for network in ("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4"))


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to a host on the public internet."""
    inner = _inner(address)
    if isinstance(inner, IPv4Address):
        return not any(inner in network for network in _SPECIAL_4)
    return inner in _GLOBAL_6 and not any(inner in network for network in _SPECIAL_6)


def is_host(address: Address) -> bool:
    """Tell whether an address can be that of one host at all, public or not."""
    inner = _inner(address)
    if isinstance(inner, IPv4Address):
        return not any(inner in network for network in _NO_HOST)
    return not (inner.is_multicast or inner.is_unspecified)


def _inner(address: Address) -> Address:
    # The address a connection really goes to, when another one is wrapped around it.
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
