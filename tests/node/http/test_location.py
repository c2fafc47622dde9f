from __future__ import annotations

import httpx
import pytest

from protocol.codecs.httpsig_commitment import commit, to_wire
from protocol.codecs.structured import to_tabm
from protocol.ids import Id
from protocol.location import Location, location_of
from protocol.message import Message
from protocol.tabm import Tabm, Typed
from protocol.wallet import Wallet
from tests.node.http.replies import message_of
from tests.node.http.service import Service

URL = "https://su.public.example"
LOCATION = "/~scheduler@1.0/location"


def test_nobody_is_anywhere_at_first(service: Service, wallet: Wallet) -> None:
    """404 in the words that HyperBEAM uses."""
    reply = service.get(LOCATION)
    assert reply.status_code == 404
    assert reply.json()["detail"] == f"No location found for address: {wallet.address}"


@pytest.mark.parametrize("codec", ["ans104", "httpsig"])
def test_the_operator_registers_the_node(service: Service, wallet: Wallet, codec: str) -> None:
    """A request that the operator signed, in either codec, makes a record that the node signs."""
    record = message_of(ask(service, wallet, codec, url=URL, nonce=4))
    location = location_of(Message.of_tabm(record))
    assert (location.signer, location.url, location.nonce) == (wallet.address, URL, 4)
    assert location.time_to_live == 604_800_000
    assert found(service, wallet.address) == location


def test_the_next_nonce_is_the_default(service: Service, wallet: Wallet) -> None:
    """Each registration is newer than the one before."""
    first = location_of(Message.of_tabm(message_of(ask(service, wallet, "ans104", url=URL))))
    other = f"{URL}/v2".removesuffix("/v2")
    again = ask(service, wallet, "httpsig", url=other)
    second = location_of(Message.of_tabm(message_of(again)))
    assert second.nonce == first.nonce + 1


def test_the_record_comes_as_an_item_where_that_is_asked_for(
    service: Service, wallet: Wallet
) -> None:
    """Bundlers take nothing else."""
    reply = ask(service, wallet, "ans104", url=URL, **{"require-codec": "ans104@1.0"})
    assert reply.headers["content-type"] == "application/ans104"
    assert location_of(Message.decode(reply.content)).url == URL


@pytest.mark.parametrize("nonce", [4, 3])
def test_a_registration_is_never_older(service: Service, wallet: Wallet, nonce: int) -> None:
    """409 for a nonce that is not above the known one."""
    ask(service, wallet, "ans104", url=URL, nonce=4)
    reply = ask(service, wallet, "ans104", url="https://old.example", nonce=nonce)
    assert (reply.status_code, reply.json()["code"]) == (409, "stale_location")
    assert found(service, wallet.address).url == URL


def test_a_record_of_somebody_else_is_kept_for_that_signer(
    service: Service, user_wallet: Wallet, wallet: Wallet
) -> None:
    """With the nonce compared to its own, and without a word about us."""
    ask(service, wallet, "ans104", url=URL, nonce=9)
    record = Location.sign(user_wallet, "https://other.example", 2)
    assert service.post(LOCATION, record.encoded).status_code == 200
    assert found(service, user_wallet.address) == record
    assert found(service, wallet.address).url == URL


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"url": URL, "nonce": 1}, "malformed_item"),
        ({"type": "scheduler-location", "url": "ftp://x.example", "nonce": 1}, "invalid_input"),
        ({"type": "scheduler-location", "url": URL, "nonce": "one"}, "malformed_item"),
    ],
)
def test_what_is_no_record_is_refused(
    service: Service, user_wallet: Wallet, keys: dict[str, Typed], code: str
) -> None:
    """A stranger cannot register the node, and a record must be one."""
    reply = service.post(LOCATION, Message.create(keys, user_wallet).encoded)
    assert reply.json()["code"] == code
    assert service.get(f"{LOCATION}?address={user_wallet.address}").status_code == 404


def test_a_record_that_was_changed_is_refused(service: Service, user_wallet: Wallet) -> None:
    """Its signature has to verify."""
    signed = commit(to_tabm({"type": "scheduler-location", "url": URL, "nonce": 1}), user_wallet)
    reply = post(service, {**signed, b"url": b"https://evil.example"})
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_signature")


def ask(service: Service, signer: Wallet, codec: str, **keys: Typed) -> httpx.Response:
    """Post a request signed in a codec."""
    if codec == "ans104":
        return service.post(LOCATION, Message.create(keys, signer).encoded)
    return post(service, commit(to_tabm(keys), signer))


def post(service: Service, message: Tabm) -> httpx.Response:
    """Post a message that is signed in its headers."""
    wire = to_wire(message, bundle=False)
    return service.request("POST", LOCATION, headers=list(wire.headers), content=wire.body)


def found(service: Service, address: Id) -> Location:
    """The record that the node gives of an address."""
    reply = service.get(f"{LOCATION}?address={address}", accept_bundle="true")
    body = message_of(reply)[b"body"]
    assert not isinstance(body, bytes)
    return location_of(Message.of_tabm(body))
