"""Who a request is from."""

from __future__ import annotations

import pytest

from node.limits.addresses import Clients, key_of


def scope(peer: str | None, *forwarded: str):
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return {"client": None if peer is None else (peer, 1), "headers": headers}


@pytest.mark.parametrize(
    ("peer", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("no address", "unknown"),
        ("", "unknown"),
    ],
)
def test_an_address_counts_as_its_customer(peer: str, key: str) -> None:
    """IPv4 counts as it is, however it is written, and IPv6 by its network of 64 bits."""
    assert key_of(peer) == key
    assert Clients().of_request(scope(peer)) == key


def test_what_strangers_forward_is_not_believed() -> None:
    """Anybody can write the header; it counts from a known proxy only."""
    assert Clients().of_request(scope("192.0.2.1", "198.51.100.7")) == "192.0.2.1"
    clients = Clients(["10.0.0.0/8"])
    assert clients.of_request(scope("192.0.2.1", "198.51.100.7")) == "192.0.2.1"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (["198.51.100.7"], "198.51.100.7"),
        (["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
        (["198.51.100.7, 10.9.9.9"], "198.51.100.7"),
        (["1.1.1.1", "198.51.100.7, 10.9.9.9"], "198.51.100.7"),
        (["2001:db8::1"], "2001:db8::/64"),
        ([], "10.0.0.1"),
        (["10.0.0.2"], "10.0.0.1"),
        (["198.51.100.7, nonsense"], "unknown"),
    ],
)
def test_behind_proxies_it_is_whom_the_first_of_them_saw(forwarded, client: str) -> None:
    """The last address that is no known proxy is the client; what stands before it is hearsay."""
    assert Clients(["10.0.0.0/8"]).of_request(scope("10.0.0.1", *forwarded)) == client


def test_no_address_is_one_client() -> None:
    """Whoever has no address shares one rate."""
    assert Clients().of_request(scope(None)) == "unknown"


def test_a_proxy_must_be_an_address() -> None:
    """A name in the place of a network is refused when it is configured."""
    with pytest.raises(ValueError, match="proxy"):
        Clients(["proxy.example"])
