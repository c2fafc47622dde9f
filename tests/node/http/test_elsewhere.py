from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send

from node.config import Config
from node.http.app import application
from node.http.path import Path
from node.http.places import redirect
from node.http.request import Call
from node.peers.client import MAX_REDIRECTS
from node.peers.finding import Elsewhere
from protocol.codecs.assignment import of_tabm
from protocol.ids import Id
from protocol.location import Location
from protocol.message import Message
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.node.http.replies import message_of
from tests.node.http.service import Service, Services
from tests.node.serving.living import Living

OTHER = "https://other.example"
PRIVATE = {"allow_private": True, "ports": range(1, 65_536)}
"""Other nodes of these tests are on this machine."""


@pytest.fixture(scope="module")
def other_wallet() -> Wallet:
    """The wallet of another scheduler."""
    return Wallet.generate()


@pytest.fixture
def foreign(service: Service, user_wallet: Wallet, other_wallet: Wallet) -> bytes:
    """A process of another scheduler, whose location the node knows."""
    record = Location.sign(other_wallet, OTHER, 1).encoded
    assert service.post("/~scheduler@1.0/location", record).status_code == 200
    return process_item(user_wallet, other_wallet.address)


def test_a_process_of_another_scheduler_is_sent_there(service: Service, foreign: bytes) -> None:
    """307, so that the client posts the same bytes again, with the variant spoken there."""
    reply = service.post("/push", foreign)
    assert (reply.status_code, reply.headers["location"]) == (307, f"{OTHER}/push")
    assert reply.headers["variant"] == "ao.N.1"
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "address",
    [
        "/{0}/slot",
        "/{0}~process@1.0/schedule?from=1&to=2",
        "/~scheduler@1.0/schedule&target={0}&from+integer=1",
        "/{0}/next?at-slot=0",
    ],
)
def test_reading_is_sent_on_to_the_same_address(
    service: Service, foreign: bytes, address: str
) -> None:
    """Path and query stay as the client wrote them."""
    service.post("/push", foreign)
    target = address.format(Message.decode(foreign).id)
    reply = service.get(target)
    assert (reply.status_code, reply.headers["location"]) == (307, OTHER + target)


def test_messages_are_sent_on_too(service: Service, foreign: bytes, user_wallet: Wallet) -> None:
    """To the scheduler of the process that they are for."""
    service.post("/push", foreign)
    process = Message.decode(foreign).id
    reply = service.post(f"/{process}/schedule", message_item(user_wallet, process))
    assert (reply.status_code, reply.headers["location"]) == (307, f"{OTHER}/{process}/schedule")


def test_a_hint_is_a_place_to_ask(service: Service) -> None:
    """For a process that nobody here knows; of its own, or behind the target."""
    process = Id(bytes(32))
    for address in (f"/{process}/slot?hint={OTHER}", f"/{process}/slot%3Fhint={OTHER}"):
        assert service.get(address).headers["location"].startswith(OTHER)
    behind = service.get("/~scheduler@1.0/slot", target=f"{process}?hint={OTHER}")
    assert behind.headers["location"].startswith(OTHER)


@pytest.mark.parametrize("hint", ["file:///etc/passwd", "x", "http://user@other.example", "//x"])
def test_a_hint_that_is_no_place_leads_nowhere(service: Service, hint: str) -> None:
    """Nobody is sent to what is no http URL."""
    assert service.get(f"/{Id(bytes(32))}/slot?hint={hint}").status_code == 404


@pytest.mark.guarantee("S11")
def test_no_hint_moves_a_process_of_ours(service: Service, process: Id) -> None:
    """What is scheduled here is answered here."""
    reply = service.get(f"/{process}/slot/current?hint={OTHER}")
    assert (reply.status_code, reply.text) == (200, "0")


OLDER = [
    ("POST", "/{0}/schedule", "/?process-id={0}"),
    ("GET", "/{0}/slot", "/{0}/latest?process-id={0}"),
    ("GET", "/{0}/schedule", "/{0}?process-id={0}"),
    ("GET", "/{0}/schedule?from=5&to=9", "/{0}?process-id={0}&from-nonce=4&to-nonce=9"),
    ("GET", "/{0}/schedule?from=0", "/{0}?process-id={0}&from-nonce=-1"),
]


@pytest.mark.parametrize(("method", "asked", "sent"), OLDER)
def test_schedulers_of_the_older_variant_get_their_own_addresses(
    method: str, asked: str, sent: str
) -> None:
    """Who follows the redirect arrives at the corresponding page of that interface."""
    process = Id(bytes(range(32)))
    path, _, query = asked.format(process).partition("?")
    call = Call(method, Path.parse(path.encode(), query.encode()), path, [], b"")
    reply = redirect(call, Elsewhere(process, OTHER, "ao.TN.1"), process)
    assert reply.headers["location"] == OTHER + sent.format(process)
    assert reply.headers["variant"] == "ao.TN.1"


@pytest.fixture
def follower(
    services: Services, wallet: Wallet, other_wallet: Wallet
) -> Iterator[tuple[Service, Service]]:
    """A node that asks others itself, and the other one, whose location it knows."""
    there = services.start(other_wallet)
    with Living(Config(server={"port": 0}), application(there.node)) as living:
        here = services.start(wallet, peers=PRIVATE, replies={"follow_redirects": True})
        record = Location.sign(other_wallet, f"http://127.0.0.1:{living.port}", 1).encoded
        assert here.post("/~scheduler@1.0/location", record).status_code == 200
        yield here, there


def test_a_node_that_follows_answers_for_the_other(
    follower: tuple[Service, Service], user_wallet: Wallet, other_wallet: Wallet
) -> None:
    """What is posted is scheduled there; what is read is theirs, verified on the way."""
    here, there = follower
    spawned = here.post("/push", process_item(user_wallet, other_wallet.address))
    process = Id.parse(spawned.headers["process"])
    posted = here.post(f"/{process}/schedule", message_item(user_wallet, process))
    assert of_tabm(message_of(posted)) == there.node.scheduler.assignment(process, 1)
    assert "confirmation" not in posted.headers
    assert here.get(f"/{process}/slot/current").text == "1"
    page = here.get(f"/{process}/schedule", accept="application/json").json()
    assert sorted(page["assignments"])[:2] == ["0", "1"]
    following = here.get(f"/{process}/next?at-slot=0", accept_bundle="true")
    body = message_of(following)[b"body"]
    assert not isinstance(body, bytes)
    assert of_tabm(body) == there.node.scheduler.assignment(process, 1)
    assert not here.node.scheduler.has(process)


def test_a_node_that_follows_is_not_led_in_a_circle(
    services: Services, wallet: Wallet, other_wallet: Wallet, user_wallet: Wallet
) -> None:
    """By a record of somebody's that names the node itself: it asks itself once, not for ever."""
    here = services.start(wallet, peers=PRIVATE, replies={"follow_redirects": True})
    asked: list[str] = []

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await application(here.node)(scope, receive, send)

    foreign = process_item(user_wallet, other_wallet.address)
    with Living(Config(server={"port": 0}), counted) as living:
        record = Location.sign(other_wallet, f"http://localhost:{living.port}", 1).encoded
        assert here.post("/~scheduler@1.0/location", record).status_code == 200
        assert here.post("/push", foreign).status_code >= 400
        reading = [f"/{Message.decode(foreign).id}/{what}" for what in ("slot", "next?at-slot=0")]
        assert all(here.get(address).status_code >= 400 for address in reading)
    assert 0 < len(asked) <= 3 * (1 + MAX_REDIRECTS)
