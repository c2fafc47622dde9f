"""Points 8 to 13, 15 and 16 of the draft: what is read, from whom, and how long it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from protocol.codecs.assignment import of_tabm
from protocol.entry import Entries
from protocol.ids import Id
from protocol.location import Location
from protocol.message import Message
from protocol.tabm import Tabm
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.node.http.replies import message_of
from tests.node.http.service import Service, Services

JSON = "application/json"
SLOTS = 5
"""Of the process that is read here: itself, and four messages."""


@pytest.fixture
def process(service: Service, process: Id, user_wallet: Wallet) -> Id:
    """A process with five slots."""
    for number in range(1, SLOTS):
        service.post("/push", message_item(user_wallet, process, number))
    return process


@pytest.mark.parametrize(
    ("query", "slots"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("from=3", [3, 4]),
        ("to=1", [0, 1]),
        ("from=-9&to=0", [0]),
        ("from=1&to=99", [1, 2, 3, 4]),
        ("from=5", []),
    ],
)
def test_8_a_range_has_its_defaults(
    service: Service, process: Id, query: str, slots: list[int]
) -> None:
    """8: `from` is 0 and never below, `to` is the newest slot, and nothing is cut."""
    page = message_of(service.get(f"/{process}/schedule?{query}", accept_bundle="true"))
    assert slots_of(page) == slots
    assert page[b"continues"] == b"false"


def test_8_a_page_has_at_most_a_thousand(
    services: Services, user_wallet: Wallet, wallet: Wallet
) -> None:
    """8: `continues` is true when it was cut, and the next page goes on without a gap."""
    service = services.start(scheduling={"duplicates": "allow"}, limits={"rate_per_signer": 0})
    spawned = service.post("/push", process_item(user_wallet, wallet.address))
    process = Id.parse(spawned.headers["process"])
    item = message_item(user_wallet, process)
    tickets = [service.node.scheduler.schedule(item) for _ in range(1001)]
    for ticket in tickets:
        ticket.stored.get(timeout=60)
    for query in ("", "limit=5000", "from=0&to=1001"):
        page = service.get(f"/{process}/schedule?{query}", accept="application/aos-2").json()
        assert [edge["cursor"] for edge in page["edges"]] == list(range(1000))
        assert page["page_info"]["has_next_page"] is True
    rest = message_of(service.get(f"/{process}/schedule?from=1000", accept_bundle="true"))
    assert (slots_of(rest), rest[b"continues"]) == ([1000, 1001], b"false")


def test_9_a_bundle_is_keyed_by_slot(service: Service, process: Id) -> None:
    """9: decimal text, each with its assignment and the message inside it."""
    page = message_of(service.get(f"/{process}/schedule", accept_bundle="true"))
    for slot in range(SLOTS):
        assignment = of_tabm(nested(nested(page, b"assignments"), b"%d" % slot))
        assert assignment == service.node.scheduler.assignment(process, slot)


def test_9_the_cursor_of_aos_2_is_the_slot(service: Service, process: Id) -> None:
    """9: and both halves of an edge carry their IDs."""
    page = service.get(f"/{process}/schedule", accept="application/aos-2").json()
    for slot, edge in enumerate(page["edges"]):
        entry = service.node.scheduler.entry(process, slot)
        assert edge["cursor"] == slot
        assert edge["node"]["message"]["Id"] == str(entry.message.id)
        assert edge["node"]["assignment"]["Id"] == str(entry.assignment.id)


def test_10_slot_says_where_the_schedule_stands(
    service: Service, process: Id, wallet: Wallet
) -> None:
    """10: the newest slot, the newest block, and who schedules; never cached."""
    reply = service.get(f"/{process}/slot", accept=JSON)
    said = reply.json()
    assert (said["process"], said["current"]) == (str(process), SLOTS - 1)
    assert said["addresses"] == [str(wallet.address)]
    assert {"timestamp", "block-height", "block-hash"} <= said.keys()
    assert said["cache-control"] == reply.headers["cache-control"] == "no-store"


def test_10_an_empty_schedule_is_at_minus_one(
    services: Services, user_wallet: Wallet, wallet: Wallet
) -> None:
    """4, 10: where a process is known to be ours, and none of its slots is stored."""
    service = services.start(scheduling={"deadline_seconds": 1e-9})
    item = process_item(user_wallet, wallet.address)
    dropped = service.post("/push", item)
    assert dropped.json()["code"] == "deadline_expired"
    service.node.finder.find(Message.decode(item).id, keys=dict(Message.decode(item).keys))
    assert service.get(f"/{Message.decode(item).id}/slot/current").text == "-1"


def test_11_next_is_exactly_the_slot_after(service: Service, process: Id) -> None:
    """11: or 404 while there is none."""
    for at_slot in range(-1, SLOTS - 1):
        reply = service.get(f"/{process}/next?at-slot={at_slot}", accept_bundle="true")
        assert of_tabm(nested(message_of(reply), b"body")).slot == at_slot + 1
    assert service.get(f"/{process}/next?at-slot={SLOTS - 1}").status_code == 404


class Astray:
    """A scheduler that gives the slot after the one it is asked for."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def entries(self, process: Id, first: int, last: int, limit: int) -> Entries:
        """Return slots one further."""
        return self._real.entries(process, first + 1, last + 1, limit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@pytest.fixture
def astray(service: Service) -> Iterator[Service]:
    """The node, with its schedules out of step."""
    with Service(replace(service.node, scheduler=Astray(service.node.scheduler))) as astray:
        yield astray


def test_11_another_slot_than_the_one_expected_is_an_error(astray: Service, process: Id) -> None:
    """11: 500, and it says which one was expected and which one came."""
    reply = astray.get(f"/{process}/next?at-slot=1")
    assert (reply.status_code, reply.json()["code"]) == (500, "unexpected_slot")
    assert (reply.headers["expected-slot"], reply.headers["unexpected-slot"]) == ("2", "3")


def test_12_status_says_who_and_what(service: Service, process: Id, wallet: Wallet) -> None:
    """12: the address and the processes; never cached."""
    reply = service.get("/~scheduler@1.0/status", accept=JSON)
    assert reply.json()["address"] == str(wallet.address)
    assert reply.json()["processes"] == [str(process)]
    assert reply.json()["cache-control"] == reply.headers["cache-control"] == "no-store"


def test_13_only_a_named_wallet_is_authority(
    service: Service, user_wallet: Wallet, wallet: Wallet
) -> None:
    """13: holding some wallet is none; without a known place to send it to it is refused."""
    other = process_item(user_wallet, user_wallet.address)
    refused = service.post("/push", other)
    assert (refused.status_code, refused.json()["code"]) == (421, "not_our_process")
    nobodys = Message.create({"Type": "Process", "Module": str(wallet.address)}, user_wallet)
    assert service.post("/push", nobodys.encoded).json()["code"] == "no_scheduler"
    assert service.node.scheduler.processes() == []


@pytest.mark.parametrize("key", ["Scheduler", "Scheduler-Location", "scheduler"])
def test_13_the_binding_is_found_under_either_name(
    service: Service, user_wallet: Wallet, wallet: Wallet, key: str
) -> None:
    """13: on the message when it is a process, and later in what was stored of it."""
    spawn = Message.create({"Type": "Process", key: str(wallet.address)}, user_wallet)
    assert service.post("/push", spawn.encoded).headers["slot"] == "0"
    later = service.post("/push", message_item(user_wallet, spawn.id))
    assert later.headers["slot"] == "1"


def test_13_what_is_not_ours_is_sent_on(service: Service, user_wallet: Wallet) -> None:
    """13: 307 to where its scheduler says it is."""
    record = Location.sign(user_wallet, "https://other.example", 1)
    service.post("/~scheduler@1.0/location", record.encoded)
    spawn = process_item(user_wallet, user_wallet.address)
    reply = service.post("/~scheduler@1.0/schedule", spawn)
    assert reply.status_code == 307
    assert reply.headers["location"] == "https://other.example/~scheduler@1.0/schedule"


def test_15_everything_is_base64url(service: Service, process: Id) -> None:
    """15: never hex; every ID, link and signature is in its one canonical form."""
    page = service.get(f"/{process}/schedule?from=1&to=1", accept=JSON).json()
    assignment = page["assignments"]["1"]
    (identifier,) = assignment["commitments"]
    names = [assignment["process"], assignment["hash-chain"], identifier]
    assert all(str(Id.parse(name)) == name for name in names)
    signature = assignment["commitments"][identifier]["signature"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{683}", signature)


@pytest.mark.parametrize("what", ["slot", "schedule", "~scheduler@1.0/status", "slot/current"])
def test_16_what_changes_is_never_kept(service: Service, process: Id, what: str) -> None:
    """16: mutable views say so, in every codec."""
    for accept in (JSON, "application/http", "*/*"):
        reply = service.get(f"/{process}/{what}", accept=accept)
        assert reply.headers["cache-control"] == "no-store"


def slots_of(page: Tabm) -> list[int]:
    """The slots in a page, in order."""
    return sorted(int(key) for key in nested(page, b"assignments") if key.isdigit())


def nested(tabm: Tabm, key: bytes) -> Tabm:
    """A nested message."""
    inside = tabm[key]
    assert not isinstance(inside, bytes)
    return inside
