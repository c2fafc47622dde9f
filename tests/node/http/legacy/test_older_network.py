from __future__ import annotations

from itertools import pairwise

import pytest

from protocol.chain import chain_rule
from protocol.codecs import ans104
from protocol.codecs.assignment import of_item
from protocol.ids import Id
from protocol.message import Message
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.node.http.service import Service
from tests.protocol.recorded import raw

SLOTS = 4


@pytest.fixture
def process(service: Service, user_wallet: Wallet, wallet: Wallet) -> str:
    """A process of variant ao.TN.1 with three messages."""
    item = process_item(user_wallet, wallet.address, Variant="ao.TN.1")
    identifier = Message.decode(item).id
    items = [item, *(message_item(user_wallet, identifier, n) for n in range(1, SLOTS))]
    for posted in items:
        assert service.request("POST", "/", content=posted).status_code == 200
    return str(identifier)


def signed_item(shown: dict) -> ans104.Item:
    """The data item that the JSON of an assignment describes."""
    pairs = [(tag["name"].encode(), tag["value"].encode()) for tag in shown["tags"]]
    built = ans104.unsigned(pairs, anchor=raw(shown["anchor"]))
    return ans104.with_signature(built, raw(shown["owner"]["key"]), raw(shown["signature"]))


def test_a_reader_can_verify_the_whole_schedule(service: Service, process: str) -> None:
    """From the JSON alone, every assignment verifies and the chain continues from slot to slot."""
    page = service.request(
        "GET", f"/{process}?process-id={process}&from-nonce=-1&show-anchor=1"
    ).json()
    items = [signed_item(edge["node"]["assignment"]) for edge in page["edges"]]
    assert len(items) == SLOTS
    assert all(item.verify() for item in items)
    read = [of_item(item) for item in items]
    assert [assignment.slot for assignment in read] == list(range(SLOTS))
    rule = chain_rule(read[0].chain)
    for before, after in pairwise(read):
        assert after.link == rule.next(before.link, after.message_id, before.id)
    assert [edge["cursor"] for edge in page["edges"]] == ["0", "1", "2", "3"]


LEGACY = [
    ("", {}),
    ("", {"accept": "*/*"}),
    ("", {"accept": "application/json, text/plain"}),
    ("?process-id={0}", {"accept": "text/html"}),
    ("?proc-id={0}", {}),
    ("?limit=2", {"require-codec": "application/json"}),
]
HYPERBEAM = [
    ("?require-codec=application/json", {}),
    ("?accept-bundle=true", {}),
    ("", {"require-codec": "application/json"}),
    ("", {"accept": "application/ans104"}),
    ("", {"accept": "text/html"}),
    ("?process-id=", {"accept": "application/http"}),
]


@pytest.mark.parametrize(("query", "headers"), LEGACY)
def test_a_reader_of_the_older_network_gets_its_page(
    service: Service, process: str, query: str, headers: dict[str, str]
) -> None:
    """Its own keys decide; without any, a process of that network is shown its way."""
    page = service.request("GET", f"/{process}{query.format(process)}", headers=headers).json()
    assert set(page) == {"page_info", "edges"}


@pytest.mark.parametrize(("query", "headers"), HYPERBEAM)
def test_what_only_hyperbeam_says_is_left_to_it(
    service: Service, process: str, query: str, headers: dict[str, str]
) -> None:
    """The same address then answers with the message itself."""
    reply = service.request("GET", f"/{process}{query}", headers=headers)
    assert reply.status_code == 200
    assert b"page_info" not in reply.content


def test_a_process_of_the_newer_network_is_left_to_hyperbeam(
    service: Service, user_wallet: Wallet, wallet: Wallet
) -> None:
    """Unless the request has a key of the older interface."""
    item = process_item(user_wallet, wallet.address)
    service.request("POST", "/", content=item)
    process = str(Message.decode(item).id)
    assert b"page_info" not in service.request("GET", f"/{process}").content
    assert "page_info" in service.request("GET", f"/{process}?limit=1").json()


def test_a_path_that_is_no_id_is_left_to_others(service: Service) -> None:
    """The keys of this interface mean nothing behind another address."""
    assert service.request("GET", "/~meta@1.0?limit=1").status_code == 200
    reply = service.request("GET", "/nothing/latest")
    assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json")
    assert (
        service.request("GET", f"/{Id(bytes(32))}").headers["content-type"]
        == "application/problem+json"
    )


def test_a_browser_is_left_to_the_page_at_the_root(service: Service) -> None:
    """Only who does not ask for HTML gets the time and the address there."""
    assert "address" in service.request("GET", "/", headers={"accept": "*/*"}).json()
    browser = service.request("GET", "/", headers={"accept": "text/html,application/xhtml+xml"})
    assert "application/json" not in browser.headers["content-type"]


def test_a_post_that_is_signed_in_its_headers_is_left_to_hyperbeam(service: Service) -> None:
    """It is no data item, and its refusal is none of this interface."""
    headers = {"signature-input": "x=()", "signature": "x=:AA==:"}
    reply = service.request("POST", "/", content=b"x", headers=headers)
    assert reply.headers["content-type"] == "application/problem+json"
