"""Replies signed by the operator: what the node says itself, and nothing that others wrote."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest

from protocol.codecs.httpsig_commitment import commit, to_wire
from protocol.tabm import Tabm
from protocol.wallet import Wallet
from tests.items import process_item
from tests.node.http.replies import message_of
from tests.node.http.service import Service, Services

RECORD: Tabm = {b"url": b"https://elsewhere.example", b"nonce": b"999"}
"""What would be a registration, if the operator signed it."""


@pytest.fixture
def service(services: Services) -> Service:
    """A node that signs its replies."""
    return services.start(replies={"sign_replies": True})


@pytest.fixture
def process(service: Service, user_wallet: Wallet, wallet: Wallet) -> str:
    """A process that the node schedules."""
    item = process_item(user_wallet, wallet.address)
    return service.post("/push", item).headers["process"]


@pytest.mark.parametrize("record", [RECORD, {**RECORD, b"ao-types": b'.="list"'}])
@pytest.mark.parametrize("bundle", [True, False])
def test_the_operator_signs_no_part_of_a_message(
    service: Service, process: str, user_wallet: Wallet, wallet: Wallet, record: Tabm, bundle: bool
) -> None:
    """Or anyone could have any text signed: with a map in a message, and that map's address."""
    tabm: Tabm = {b"type": b"Message", b"target": process.encode(), b"inside": record}
    posted = post(service, f"/{process}/schedule", commit(tabm, user_wallet, bundle=bundle))
    assert posted.status_code == 200, posted.text
    for address in (
        f"/{posted.headers['id']}/inside",
        f"/{posted.headers['id']}/inside/url",
        f"/{process}/schedule/assignments/1/body/inside?accept-bundle=true",
    ):
        part = message_of(service.get(address))
        assert wallet.address.ascii not in committers(part)


def test_the_operator_signs_a_part_of_what_the_node_says(
    service: Service, process: str, wallet: Wallet
) -> None:
    """Such as the number alone of the newest slot."""
    reply = message_of(service.get(f"/{process}/slot/current"))
    assert (reply[b"body"], committers(reply)) == (b"0", {wallet.address.ascii})


def post(service: Service, address: str, tabm: Tabm) -> httpx.Response:
    """Post a signed message as HyperBEAM does, nested ones inside."""
    wire = to_wire(tabm, bundle=True)
    headers = [(name.decode(), value.decode("latin-1")) for name, value in wire.headers]
    return service.request("POST", address, content=wire.body, headers=headers)


def committers(tabm: Tabm) -> set[bytes | Tabm]:
    """Who signed a message."""
    return {fields[b"committer"] for fields in _fields(tabm) if b"committer" in fields}


def _fields(tabm: Tabm) -> list[Tabm]:
    found = tabm.get(b"commitments", {})
    assert isinstance(found, Mapping)
    return [fields for fields in found.values() if isinstance(fields, Mapping)]
