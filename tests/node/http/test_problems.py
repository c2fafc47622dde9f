from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from node import errors as node_errors
from node.http.app import application
from node.http.problems import problem, problem_of_http
from protocol import errors
from protocol.errors import SchedulerError, UnexpectedSlot
from protocol.ids import Id
from protocol.location import Location
from protocol.message import Message
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.node.http.service import Service, Services
from tests.protocol.odd_items import ethereum_item, odd_item

KINDS = [
    kind
    for module in (errors, node_errors)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, SchedulerError)
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_is_a_problem_with_its_code(
    service: Service, kind: type[SchedulerError]
) -> None:
    """Whatever a route raises arrives with status, code, detail and when to try again."""

    async def failing(_request: Request) -> Response:
        raise kind("what\ud800 happened")

    app = application(service.node)
    app.router.routes.insert(0, Route("/failing", failing))
    with Service(service.node, app) as asking:
        reply = asking.get("/failing")
    assert reply.status_code == kind.status
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["cache-control"] == "no-store"
    body = reply.json()
    assert (body["code"], body["status"]) == (kind.code, kind.status)
    assert body["detail"] == "what? happened"
    wait = reply.headers.get("retry-after")
    assert wait == (None if kind.retry_after is None else str(int(kind.retry_after)))


def damaged(item: bytes) -> bytes:
    """Change the last byte of the data."""
    return item[:-1] + bytes([item[-1] ^ 1])


def too_large(user: Wallet, process: Id) -> bytes:
    """An item over 10 MiB, which nobody looks at further."""
    return message_item(user, process) + bytes(10 << 20)


ITEMS: dict[str, Callable[[Wallet, Id], bytes]] = {
    "malformed_item": lambda user, process: message_item(user, process)[:700],
    "not_canonical": lambda user, process: odd_item(user, [(b"A", b"b")], count=2, target=process),
    "invalid_signature": lambda user, process: damaged(message_item(user, process)),
    "no_target": lambda user, _: Message.create({"Type": "Message"}, user).encoded,
    "unsupported_signature_type": lambda _, __: ethereum_item(),
    "invalid_id": lambda user, _: Message.create({"target": "nobody"}, user).encoded,
    "wrong_target": lambda user, _: message_item(user, Id(bytes(32))),
    "no_scheduler": lambda user, _: Message.create({"Type": "Process"}, user).encoded,
    "not_our_process": process_item,
    "unsupported_process": lambda user, us: process_item(user, us, Scheduler_Chain="unheard-of"),
    "too_large": too_large,
}
"""Code, and an item that is refused with it."""


@pytest.mark.parametrize("code", ITEMS)
def test_a_message_at_fault_is_refused_with_its_code(
    service: Service, process: Id, user_wallet: Wallet, wallet: Wallet, code: str
) -> None:
    """Nothing is scheduled, and the code says what to mend."""
    about = wallet.address if code == "unsupported_process" else process
    address = f"/{process}/schedule" if code == "wrong_target" else "/~scheduler@1.0/schedule"
    reply = service.post(address, ITEMS[code](user_wallet, about))
    assert reply.json()["code"] == code
    assert 400 <= reply.status_code < 500
    assert service.node.scheduler.slot(process) == 0


REQUESTS = {
    "/{0}/schedule?from=x": "invalid_input",
    "/{0}/schedule?to=9999999999999999": "invalid_input",
    "/{0}/schedule?limit=1.5": "invalid_input",
    "/{0}/slot?require-codec=application/cbor": "unsupported_value",
    "/{0}/slot?codec-device=tx@1.0": "malformed_item",
    "/{0}/next": "invalid_input",
    "/{0}/next?at-slot=-2": "invalid_input",
    "/{0}/next?at-slot=0": "not_found",
    "/{0}/nothing": "not_found",
    "/{0}~cron@1.0/once": "not_found",
    "/~scheduler@1.0/schedule": "invalid_input",
    "/~scheduler@1.0/slot?target=x": "invalid_id",
    "/~scheduler@1.0/location": "not_found",
    "/~scheduler@1.0/location?address=x": "invalid_id",
    "/~scheduler@1.0/status?after=x": "invalid_id",
    "/~meta@1.0/build": "not_found",
    "/~meta@1.0/info/nothing": "not_found",
    "/%ff": "invalid_input",
    "/nothing": "not_found",
}


@pytest.mark.parametrize(("address", "code"), REQUESTS.items())
def test_a_request_at_fault_is_refused_with_its_code(
    service: Service, process: Id, address: str, code: str
) -> None:
    """Reading raises nothing that has no code."""
    reply = service.get(address.format(process))
    assert reply.headers["content-type"] == "application/problem+json"
    assert (reply.json()["code"], reply.json()["status"]) == (code, reply.status_code)


@pytest.mark.parametrize("what", ["schedule", "slot", "next?at-slot=0", ""])
def test_a_process_that_nobody_knows_is_not_found(service: Service, what: str) -> None:
    """404 with a code, for HyperBEAM's 500."""
    reply = service.get(f"/{Id(bytes(32))}/{what}")
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


def test_a_confirmation_that_is_none_is_refused_before_anything_happens(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """Who asks for more than there is must not get less without knowing."""
    reply = service.post(
        f"/{process}/schedule?confirmation=soon", message_item(user_wallet, process)
    )
    assert reply.json()["code"] == "invalid_input"
    assert service.node.scheduler.slot(process) == 0


def test_a_codec_that_is_none_is_refused_before_anything_happens(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """Also when the item itself asks for it."""
    item = message_item(user_wallet, process, require_codec="application/cbor")
    reply = service.post(f"/{process}/schedule", item)
    assert reply.json()["code"] == "unsupported_value"
    assert service.node.scheduler.slot(process) == 0


def spawn(service: Service, user: Wallet, wallet: Wallet) -> Id:
    """Post a new process."""
    return Id.parse(service.post("/push", process_item(user, wallet.address)).headers["process"])


def test_a_duplicate_is_refused_where_that_is_wanted(
    services: Services, user_wallet: Wallet, wallet: Wallet
) -> None:
    """409, and it keeps the slot it has."""
    service = services.start(scheduling={"duplicates": "reject"})
    process = spawn(service, user_wallet, wallet)
    item = message_item(user_wallet, process)
    assert service.post(f"/{process}/schedule", item).headers["slot"] == "1"
    reply = service.post(f"/{process}/schedule", item)
    assert (reply.status_code, reply.json()["code"]) == (409, "duplicate")


def test_a_signer_that_asks_too_often_has_to_wait(
    services: Services, user_wallet: Wallet, wallet: Wallet
) -> None:
    """429, and a new message of somebody else is taken meanwhile."""
    service = services.start(limits={"rate_per_signer": 0.5})
    process = spawn(service, user_wallet, wallet)
    reply = service.post(f"/{process}/schedule", message_item(user_wallet, process))
    assert (reply.status_code, reply.json()["code"]) == (429, "rate_limited")
    assert int(reply.headers["retry-after"]) >= 1
    other = service.post(f"/{process}/schedule", message_item(wallet, process))
    assert other.status_code == 200


@pytest.mark.guarantee("L1")
def test_a_request_that_nobody_takes_up_in_time_is_dropped(
    services: Services, user_wallet: Wallet, wallet: Wallet
) -> None:
    """503, to be sent again; it is never assigned later."""
    service = services.start(scheduling={"deadline_seconds": 1e-9})
    reply = service.post("/push", process_item(user_wallet, wallet.address))
    assert (reply.status_code, reply.json()["code"]) == (503, "deadline_expired")
    assert reply.headers["retry-after"] == "1"


@pytest.mark.guarantee("L1")
def test_a_publication_that_takes_too_long_is_told_from_a_refusal(
    services: Services, user_wallet: Wallet, wallet: Wallet
) -> None:
    """504: the slot stands, as anybody can read, only the bundler has not answered."""
    service = services.start(
        scheduling={"deadline_seconds": 0.5}, bundler={"url": "http://127.0.0.1:1"}
    )
    reply = service.post("/push?confirmation=remote", process_item(user_wallet, wallet.address))
    assert (reply.status_code, reply.json()["code"]) == (504, "publication_pending")
    assert len(service.node.scheduler.processes()) == 1


def test_a_closed_node_says_so(service: Service, process: Id, user_wallet: Wallet) -> None:
    """503, and nothing hangs."""
    service.node.scheduler.close()
    reply = service.post(f"/{process}/schedule", message_item(user_wallet, process))
    assert (reply.status_code, reply.json()["code"]) == (503, "closed")


def test_an_old_location_is_refused(service: Service, user_wallet: Wallet) -> None:
    """409 for a record whose nonce is not above the one known."""
    record = Location.sign(user_wallet, "https://one.example", 3).encoded
    taken = service.post("/~scheduler@1.0/location", record)
    assert (taken.status_code, taken.headers["url"]) == (200, "https://one.example")
    for nonce in (3, 2):
        older = Location.sign(user_wallet, "https://other.example", nonce).encoded
        reply = service.post("/~scheduler@1.0/location", older)
        assert (reply.status_code, reply.json()["code"]) == (409, "stale_location")
    found = service.get(
        f"/~scheduler@1.0/location?address={user_wallet.address}", accept="application/json"
    )
    assert found.json()["body"]["url"] == "https://one.example"


def test_an_unexpected_slot_is_named() -> None:
    """Which one came, and which one was asked for, by HyperBEAM's names."""
    error = UnexpectedSlot("slot 4 came")
    error.expected, error.found = 3, 4
    reply = problem(error)
    assert (reply.headers["expected-slot"], reply.headers["unexpected-slot"]) == ("3", "4")
    assert b'"expected-slot":3' in bytes(reply.body)


def test_a_refusal_by_the_framework_has_a_code_too() -> None:
    """As files that are served from a folder raise it."""
    reply = problem_of_http(HTTPException(405, headers={"allow": "GET"}))
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET")
    assert b'"code":"method_not_allowed"' in bytes(reply.body)


def test_refusals_are_counted(service: Service) -> None:
    """By code, for those who look after the node."""
    service.get("/nothing")
    assert 'ao_http_refusals_total{code="not_found"} 1.0' in service.get("/metrics").text


def test_a_defect_of_ours_tells_nothing_of_our_insides(service: Service) -> None:
    """500 with a code; the traceback is for the log."""

    async def failing(_request: Request) -> Response:
        raise RuntimeError("secret")

    app = application(service.node)
    app.router.routes.insert(0, Route("/failing", failing))
    with Service(service.node, app, raises=False) as asking:
        reply = asking.get("/failing")
    assert (reply.status_code, reply.json()["code"]) == (500, "internal_error")
    assert "secret" not in reply.text
