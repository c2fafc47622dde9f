from __future__ import annotations

import pytest

from protocol.ids import Id
from protocol.location import Location
from protocol.message import Message
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.node.http.service import Service, Services

NOBODY = Id(bytes(32))
ELSEWHERE = "https://other.example"


@pytest.fixture(scope="session")
def other_wallet() -> Wallet:
    """The wallet of another node."""
    return Wallet.generate()


def post(service: Service, item: bytes, query: str = "") -> tuple[int, dict]:
    reply = service.request(
        "POST", f"/{query}", content=item, headers={"content-type": "application/octet-stream"}
    )
    return reply.status_code, reply.json()


def spawned(service: Service, user: Wallet, scheduler: Wallet) -> Id:
    item = process_item(user, scheduler.address)
    assert post(service, item)[0] == 200
    return Message.decode(item).id


def test_what_is_posted_is_scheduled(service: Service, user_wallet: Wallet, wallet: Wallet) -> None:
    """A process and a message get their slots; the answer names them and the time they got."""
    process = spawned(service, user_wallet, wallet)
    item = message_item(user_wallet, process)
    status, answer = post(service, item)
    stored = service.node.scheduler.assignment(process, 1)
    assert (status, answer["id"]) == (200, str(Message.decode(item).id))
    assert answer["timestamp"] == stored.timestamp
    assert str(stored.message_id) == answer["id"]


def test_posting_again_changes_nothing(
    service: Service, user_wallet: Wallet, wallet: Wallet
) -> None:
    """Whoever did not hear the answer may ask again and gets the same one."""
    item = message_item(user_wallet, spawned(service, user_wallet, wallet))
    assert post(service, item) == post(service, item)
    assert service.node.scheduler.slot(Message.decode(item).keys[b"target"].decode()) == 1


LACKING = [
    ({"Type": "Result"}, "Unsupported Type tag value"),
    ({"Action": "Ping"}, "Type tag not present"),
    ({"Type": "Message", "target": str(NOBODY)}, "Data-Protocol tag not present"),
    ({"Type": "Process", "Data-Protocol": "ao"}, "Module tag not present"),
    ({"Type": "Process", "Data-Protocol": "ao", "Module": "m"}, "Scheduler tag not present"),
    ({"Type": "Message", "Data-Protocol": "ao"}, "names no process as its target"),
]


@pytest.mark.parametrize(("keys", "said"), LACKING)
def test_an_item_without_the_tags_it_needs_is_refused(
    service: Service, user_wallet: Wallet, keys: dict[str, str], said: str
) -> None:
    """The refusal says which one, in the shape of this interface."""
    status, answer = post(service, Message.create(keys, user_wallet).encoded)
    assert (status, list(answer)) == (400, ["error"])
    assert said in answer["error"]


def test_what_is_no_item_is_refused(service: Service, user_wallet: Wallet, wallet: Wallet) -> None:
    """No bytes, other bytes and a broken signature are the client's fault."""
    broken = bytearray(process_item(user_wallet, wallet.address))
    broken[-1] ^= 1
    for body in (b"", b"\xff" * 2000, bytes(broken)):
        status, answer = post(service, body)
        assert (status, list(answer)) == (400, ["error"])


def test_what_is_too_large_is_413(service: Service) -> None:
    """More than 10 MiB is no item for anybody."""
    assert post(service, b"\x01\x00" + bytes(10 << 20))[0] == 413


def test_a_process_of_another_scheduler_is_refused(
    service: Service, user_wallet: Wallet, other_wallet: Wallet
) -> None:
    """Without a known place of its scheduler, nobody can be sent there."""
    item = process_item(user_wallet, other_wallet.address)
    status, answer = post(service, item)
    assert (status, list(answer)) == (400, ["error"])
    assert not service.node.scheduler.has(Message.decode(item).id)


def test_everything_about_a_process_elsewhere_is_sent_there(
    service: Service, user_wallet: Wallet, other_wallet: Wallet
) -> None:
    """The whole address is kept, because clients follow to exactly what `location` says."""
    place = Location.sign(other_wallet, ELSEWHERE, 1)
    service.node.locations.take(Message.decode(place.encoded))
    item = process_item(user_wallet, other_wallet.address)
    process = Message.decode(item).id
    assert sent_to(service, "POST", "/", item) == f"{ELSEWHERE}/"
    addresses = [
        f"/?process-id={process}",
        f"/{process}?process-id={process}&from-nonce=-1",
        f"/{NOBODY}?process-id={process}",
        f"/{process}/latest?process-id={process}",
        f"/processes/{process}",
    ]
    for address in addresses:
        assert sent_to(service, "GET", address) == ELSEWHERE + address
    message = message_item(user_wallet, process)
    assert sent_to(service, "POST", f"/?process-id={process}", message) == (
        f"{ELSEWHERE}/?process-id={process}"
    )


def sent_to(service: Service, method: str, address: str, body: bytes = b"") -> str:
    media = {"content-type": "application/octet-stream"}
    reply = service.request(method, address, content=body, headers=media)
    assert reply.status_code == 307
    return reply.headers["location"]


def test_a_message_of_the_process_can_be_assigned_to_it(
    service: Service, user_wallet: Wallet, wallet: Wallet
) -> None:
    """Assigning what has its slot answers with the ID of that assignment."""
    process = spawned(service, user_wallet, wallet)
    item = message_item(user_wallet, process)
    post(service, item)
    status, answer = post(service, b"", f"?process-id={process}&assign={Message.decode(item).id}")
    assert status == 200
    assert answer["id"] == str(service.node.scheduler.assignment(process, 1).id)


UNASSIGNED = [
    ("?process-id={0}", "you must send both"),
    ("?assign={0}", "you must send both"),
    ("?process-id={0}&assign=x", "not a 43-character"),
    ("?process-id={0}&assign={0}&base-layer", "base-layer"),
    ("?process-id={0}&assign={0}&exclude=data", "exclude"),
    (f"?process-id={NOBODY}&assign={{0}}", "another process"),
    (f"?process-id={{0}}&assign={NOBODY}", "not in this store"),
]


@pytest.mark.parametrize(("query", "said"), UNASSIGNED)
def test_what_cannot_be_assigned_is_refused(
    service: Service, user_wallet: Wallet, wallet: Wallet, query: str, said: str
) -> None:
    """What is not built says so, in the shape of this interface."""
    process = spawned(service, user_wallet, wallet)
    status, answer = post(service, b"", query.format(process))
    assert (status, list(answer)) == (400, ["error"])
    assert said in answer["error"]


def test_what_to_try_again_later_says_when(
    services: Services, user_wallet: Wallet, wallet: Wallet
) -> None:
    """A signer beyond its rate keeps its status and is told how many seconds to wait."""
    service = services.start(limits={"rate_per_signer": 0.01})
    replies = [
        service.request("POST", "/", content=process_item(user_wallet, wallet.address, Name=str(n)))
        for n in range(12)
    ]
    late = [reply for reply in replies if reply.status_code == 429]
    assert late
    assert int(late[0].headers["retry-after"]) >= 1
    assert list(late[0].json()) == ["error"]


def test_a_closed_scheduler_is_503(service: Service, user_wallet: Wallet, wallet: Wallet) -> None:
    """What is wrong with the node is not said to be wrong with the request."""
    service.node.scheduler.close()
    status, answer = post(service, process_item(user_wallet, wallet.address))
    assert (status, list(answer)) == (503, ["error"])


@pytest.mark.guarantee("S6")
def test_an_assignment_is_named_once_it_is_stored(
    services: Services, user_wallet: Wallet, wallet: Wallet
) -> None:
    """Its ID is the answer, and until then a crash may give it another one."""
    how = {"mode": "aggressive", "duplicates": "allow"}
    service = services.start(scheduling=how)
    process = spawned(service, user_wallet, wallet)
    item = message_item(user_wallet, process)
    post(service, item)
    address = f"/?process-id={process}&assign={Message.decode(item).id}"
    for slot in range(2, 7):
        reply = service.request("POST", address)
        assert reply.json()["id"] == str(service.node.scheduler.assignment(process, slot).id)
        assert reply.headers["confirmation"] in ("local", "remote")


@pytest.mark.parametrize("stage", ["local", "remote"])
def test_a_post_waits_for_the_stage_that_it_names(
    services: Services, user_wallet: Wallet, wallet: Wallet, stage: str
) -> None:
    """As on the newer routes; the answer says which one was reached."""
    service = services.start(scheduling={"mode": "aggressive"})
    item = process_item(user_wallet, wallet.address)
    reply = service.request("POST", f"/?confirmation={stage}", content=item)
    assert reply.headers["confirmation"] in (stage, "remote")
    refused = service.request("POST", "/", content=item, headers={"confirmation": "soon"})
    assert (refused.status_code, list(refused.json())) == (400, ["error"])
