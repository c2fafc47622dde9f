from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.config import Config
from node.http.app import application
from node.peers.finding import Elsewhere, Local
from protocol.assignment import LEGACY_VARIANT
from protocol.entry import Entry
from protocol.errors import NotFound
from protocol.ids import Id
from protocol.location import Location
from protocol.message import Message, verify
from protocol.schedule_check import check
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.node.http.service import Service, Services
from tests.node.serving.living import Living

SLOTS = 7
OLDER = {"Variant": LEGACY_VARIANT}


@pytest.fixture
def services(tmp_path: Path, wallet: Wallet) -> Iterator[Services]:
    """Starts nodes, and ends them after the test."""
    with Services(tmp_path, [wallet]) as services:
        yield services


@pytest.fixture
def theirs(services: Services) -> Service:
    """A node whose scheduler has `wallet`."""
    return services.start()


@pytest.fixture
def port(theirs: Service) -> Iterator[int]:
    """Where it listens."""
    with Living(Config(server={"port": 0}), application(theirs.node)) as living:
        yield living.port


@pytest.fixture
def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def ours(services: Services, port: int, user_wallet: Wallet) -> Service:
    """Another node, which follows where a schedule leads."""
    peers = {"allow_private": True, "ports": [port], "async_remote_cache": False}
    return services.start(user_wallet, peers=peers, replies={"follow_redirects": True})


@pytest.fixture(params=["hash-chain", "base-hashpath", "httpsig", "ao.TN.1"])
def entries(request, theirs: Service, user_wallet: Wallet, wallet: Wallet) -> list[Entry]:
    """A schedule of theirs, by each chain rule, device and variant."""
    asked = {
        "hash-chain": {},
        "base-hashpath": {"scheduler-chain": "base-hashpath"},
        "httpsig": {"scheduler-commitment-spec": "httpsig@1.0"},
        "ao.TN.1": OLDER,
    }[request.param]
    scheduler = theirs.node.scheduler
    process = scheduler.assign(process_item(user_wallet, wallet.address, **asked)).process
    for number in range(1, SLOTS):
        scheduler.assign(message_item(user_wallet, process, number))
    return list(scheduler.entries(process).entries)


@pytest.fixture
def process(entries: list[Entry]) -> Id:
    return entries[0].assignment.process


def test_a_schedule_is_read_from_another_node(ours, url, entries, process, wallet) -> None:
    """Every slot verified, whatever chain and device the process asked for."""
    read_all(ours, Elsewhere(wallet.address, url, "ao.N.1"), process, entries)


@pytest.mark.parametrize("entries", ["ao.TN.1"], indirect=True)
def test_a_schedule_is_read_from_a_scheduler_unit(ours, url, entries, process, wallet) -> None:
    """By the older API, from the very items that the scheduler signed."""
    read_all(ours, Elsewhere(wallet.address, url, LEGACY_VARIANT), process, entries)


def read_all(ours: Service, place: Elsewhere, process: Id, entries: list[Entry]) -> None:
    remote = ours.node.remote
    assert remote.slot(place, process) == SLOTS - 1
    found = remote.entries(place, process)
    assert list(found.entries) == entries
    check(process, found.entries, None, entries[0].message.keys)
    with pytest.raises(NotFound):
        remote.entries(place, place.address)


def test_a_message_is_scheduled_at_another_node(ours, url, theirs, user_wallet, wallet) -> None:
    """A process and a message to it, each answered with its slot."""
    place = Elsewhere(wallet.address, url, "ao.N.1")
    spawn = verify(process_item(user_wallet, wallet.address))
    first = ours.node.remote.schedule(place, spawn)
    second = ours.node.remote.schedule(place, verify(message_item(user_wallet, spawn.process)))
    assert list(theirs.node.scheduler.entries(spawn.process).entries) == [first, second]


def test_a_message_is_scheduled_at_a_scheduler_unit(ours, url, theirs, user_wallet, wallet) -> None:
    """By the older API, which answers with nothing but IDs."""
    place = Elsewhere(wallet.address, url, LEGACY_VARIANT)
    spawn = verify(process_item(user_wallet, wallet.address, **OLDER))
    first = ours.node.remote.schedule(place, spawn)
    second = ours.node.remote.schedule(place, verify(message_item(user_wallet, spawn.process)))
    assert list(theirs.node.scheduler.entries(spawn.process).entries) == [first, second]


def test_a_node_registers_with_another(theirs, services, url, user_wallet) -> None:
    """What it posts to its peers is found there."""
    told = services.start(user_wallet, peers={"notify": [url]})
    announced = told.node.locations.register("https://told.example")
    assert announced.failures == ()
    assert theirs.node.locations.find(user_wallet.address) == announced.location


def test_another_nodes_schedule_is_found_and_read_ahead(
    ours, theirs, url, entries, process, wallet
) -> None:
    """From its location record to the last slot, one `next` after the other."""
    introduced = Location.sign(wallet, url, 3)
    ours.node.locations.take(Message.decode(introduced.encoded))
    place = ours.node.finder.find(process, keys=entries[0].message.keys)
    assert place == Elsewhere(wallet.address, url, "ao.N.1")
    assert isinstance(theirs.node.finder.find(process), Local)
    source = ours.node.remote.source(place)
    lookahead = ours.node.lookahead
    assert [lookahead.next(source, process, slot - 1) for slot in range(SLOTS)] == entries
    with pytest.raises(NotFound):
        lookahead.next(source, process, SLOTS - 1)


def test_a_hint_is_enough_to_read_a_schedule(ours, url, process) -> None:
    """Over HTTP: nobody told our node of the process or of its scheduler."""
    reply = ours.get(f"/{process}/schedule?hint={url}&accept=application/aos-2")
    assert reply.status_code == 200
    assert len(reply.json()["edges"]) == SLOTS
    slot = ours.get(f"/{process}/slot/current?hint={url}")
    assert (slot.status_code, slot.text) == (200, str(SLOTS - 1))
