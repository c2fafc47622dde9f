from __future__ import annotations

from ipaddress import ip_address

import pytest

from node.peers.addresses import is_host, is_public

PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.167.255.255
192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
2001:200:: 2001:4860:4860::8888 2400:: 2606:4700::1111 2a00:: 3ffe::1
::ffff:1.1.1.1 64:ff9b::8.8.8.8
"""

SPECIAL = """
0.0.0.0 0.255.255.255 10.0.0.1 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.255
169.254.0.1 169.254.169.254 172.16.0.0 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.0.1
192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255
240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1
64:ff9b::127.0.0.1 64:ff9b::10.1.2.3 64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1:: 2001:db8::1
2001:10::1 2001:1ff:: 2002:7f00:1:: 2002:: 3fff::1 4000::1 5f00::1 fc00::1 fd12:3456::1 fe80::1
fe80::1%eth0 fec0::1 ff02::1 ffff::1
"""

NOBODY = "0.0.0.0 224.0.0.1 255.255.255.255 240.0.0.1 :: ff02::1 ::ffff:224.0.0.1"


@pytest.mark.parametrize("text", PUBLIC.split())
def test_an_address_of_the_internet_is_public(text: str) -> None:
    """What is given out to hosts is public, up to the borders of the special ranges."""
    assert is_public(ip_address(text))
    assert is_host(ip_address(text))


@pytest.mark.parametrize("text", SPECIAL.split())
def test_a_special_address_is_not_public(text: str) -> None:
    """No special range is public, also not wrapped into an IPv6 address."""
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", NOBODY.split())
def test_some_addresses_are_no_host_at_all(text: str) -> None:
    """Multicast, broadcast and the empty address are no single host, public or private."""
    assert not is_host(ip_address(text))


def test_private_hosts_are_hosts() -> None:
    """A loopback, private or link-local address may be contacted when that is allowed."""
    for text in ("127.0.0.1", "10.0.0.1", "169.254.1.1", "::1", "fd00::1", "fe80::1"):
        assert is_host(ip_address(text))
