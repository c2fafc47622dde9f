from __future__ import annotations

import threading

import pytest

from node.peers.client import Client
from node.peers.deadline import deadline
from node.peers.rules import Rules
from protocol.errors import PeerFailed, PeerRefused, PeerTimeout
from tests.node.peers.outside import PUBLIC, redirect, reply

INTERNAL = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:192.168.1.1"]


@pytest.mark.parametrize("address", INTERNAL)
def test_a_name_for_an_internal_address_is_refused(client, internet, address: str) -> None:
    """What a name stands for is checked, not how it looks; nothing is connected to."""
    internet.names["friendly.example"] = [[address]]
    with pytest.raises(PeerRefused):
        client.get("http://friendly.example/")
    assert internet.connected == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[64:ff9b::a00:1]/",
        "http://[fe80::1%25eth0]/",
        "https://169.254.169.254/latest/meta-data/",
        "http://0.0.0.0/",
        "http://255.255.255.255/",
    ],
)
def test_an_internal_address_is_refused_as_it_stands(client, internet, url: str) -> None:
    """A URL may name an address itself, in any of its spellings, and is refused the same."""
    with pytest.raises(PeerRefused):
        client.get(url)
    assert internet.connected == []


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "017700000001", "localhost"])
def test_spellings_that_only_the_system_knows_are_refused(internet, host: str) -> None:
    """What the system's resolver makes of a number or of a local name is checked, too."""
    with Client(network=internet) as client, pytest.raises((PeerRefused, PeerFailed)):
        client.get(f"http://{host}/")
    assert internet.connected == []


def test_a_name_is_asked_for_once_and_that_address_connected_to(client, internet, server) -> None:
    """A name that stands for an internal address a moment later (rebinding) leads nowhere new."""
    server.answers["/"] = reply(body=b"hello")
    internet.names["rebinding.example"] = [[PUBLIC], ["127.0.0.1"]]
    assert client.get("http://rebinding.example/").body == b"hello"
    assert internet.connected == [(PUBLIC, 80)]


def test_each_new_connection_is_checked_again(client, internet, server) -> None:
    """A name that was good for one connection is looked up and checked for the next one."""
    server.answers["/"] = reply(body=b"bye", headers=[("connection", "close")])
    internet.names["rebinding.example"] = [[PUBLIC], ["127.0.0.1"]]
    assert client.get("http://rebinding.example/").body == b"bye"
    with pytest.raises(PeerRefused):
        client.get("http://rebinding.example/")
    assert internet.connected == [(PUBLIC, 80)]


def test_of_several_addresses_only_permitted_ones_are_used(client, internet, server) -> None:
    """An internal address among public ones is never tried; the next public one is."""
    server.answers["/"] = reply(body=b"hello")
    internet.names["many.example"] = [["10.0.0.1", "1.2.3.4", "::1", PUBLIC]]
    internet.unreachable = {"1.2.3.4"}
    assert client.get("http://many.example/").body == b"hello"
    assert internet.connected == [("1.2.3.4", 80), (PUBLIC, 80)]


def test_a_redirect_to_an_internal_address_is_refused(client, internet, server) -> None:
    """Each redirect is checked like the first URL."""
    for location in ("http://127.0.0.1/", "http://inside.example/", "//[::1]/"):
        internet.names["inside.example"] = [["192.168.0.1"]]
        server.answers["/"] = redirect(location)
        with pytest.raises(PeerRefused):
            client.get("http://node.example/", follow=True)
    assert {address for address, _ in internet.connected} == {PUBLIC}


@pytest.mark.parametrize("port", [1, 22, 25, 8080, 65535])
def test_ports_of_other_services_are_refused(client, server, internet, port: int) -> None:
    """Only the ports on the list are contacted, also after a redirect."""
    with pytest.raises(PeerRefused):
        client.get(f"http://node.example:{port}/")
    server.answers["/"] = redirect(f"http://node.example:{port}/")
    with pytest.raises(PeerRefused):
        client.get("http://node.example/", follow=True)
    assert internet.connected == [(PUBLIC, 80)]


@pytest.mark.parametrize("port", ["80", "443", "8734", "10000"])
def test_ports_of_the_web_and_of_nodes_are_contacted(client, server, internet, port: str) -> None:
    """The ports that schedulers use pass without configuration."""
    server.answers["/"] = reply()
    assert client.get(f"http://node.example:{port}/").ok
    assert internet.connected == [(PUBLIC, int(port))]


def test_private_addresses_are_contacted_when_that_is_allowed(asking, server) -> None:
    """In a closed network the operator allows them; what is no host stays refused."""
    server.answers["/"] = reply(body=b"hello")
    client = asking(allow_private=True)
    assert client.get("http://10.0.0.1/").body == b"hello"
    with pytest.raises(PeerRefused):
        client.get("http://0.0.0.0/")


def test_what_the_operator_names_is_trusted(internet, server) -> None:
    """An origin from the configuration may be at any port and address, and only that one."""
    server.answers["/"] = reply(body=b"hello")
    rules = Rules().trusting("http://127.0.0.1:4000/gateway")
    with Client(rules, resolver=internet.resolve, network=internet) as client:
        assert client.get("http://127.0.0.1:4000/").body == b"hello"
        for url in ("http://127.0.0.1:4001/", "https://127.0.0.1:4000/", "http://127.0.0.1/"):
            with pytest.raises(PeerRefused):
                client.get(url)


def test_a_stranger_cannot_redirect_to_what_the_operator_named(internet, server) -> None:
    """Trust ends at the first origin that is not named: not even an open connection is used."""
    server.answers |= {"/": reply(body=b"secret"), "/away": redirect("http://127.0.0.1:4000/")}
    rules = Rules(ports=frozenset({80, 4000})).trusting("http://127.0.0.1:4000")
    with Client(rules, resolver=internet.resolve, network=internet) as client:
        assert client.get("http://127.0.0.1:4000/").body == b"secret"
        with pytest.raises(PeerRefused):
            client.get("http://node.example/away", follow=True)
    assert internet.connected == [("127.0.0.1", 4000), (PUBLIC, 80)]


def test_a_name_that_does_not_exist_is_the_peers_failure(client) -> None:
    """An unknown name, or one that cannot be one, is an answer that never comes."""
    for host in ("nowhere.example", "a" * 64 + ".example"):
        with pytest.raises(PeerFailed):
            client.get(f"http://{host}/")


def test_a_resolver_that_hangs_does_not_outlast_the_deadline(internet) -> None:
    """The system's resolver knows no deadline, so nobody waits for it longer than for a peer."""
    released, ended = threading.Event(), threading.Event()

    def hanging(*_) -> list[str]:
        released.wait(10)
        ended.set()
        return [PUBLIC]

    with Client(resolver=hanging, network=internet) as client:
        with deadline(0.05), pytest.raises(PeerTimeout):
            client.get("http://node.example/")
        assert not ended.is_set()
        released.set()
    assert internet.connected == []
