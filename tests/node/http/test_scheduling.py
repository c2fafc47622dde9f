from __future__ import annotations

import httpx
import pytest

from protocol.codecs.assignment import of_tabm, verify
from protocol.codecs.wire import Wire
from protocol.ids import Id
from protocol.message import Message
from protocol.tabm import COMMITMENTS, Tabm
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.node.http.replies import message_of
from tests.node.http.service import Service, Services

JSON = "application/json"


def test_a_process_and_its_messages_get_their_slots(
    service: Service, user_wallet: Wallet, wallet: Wallet
) -> None:
    """The reply to each is its signed assignment, slot 0 for the process itself."""
    spawned = service.post("/push", process_item(user_wallet, wallet.address))
    process = Id.parse(spawned.headers["process"])
    for number in (1, 2):
        item = message_item(user_wallet, process, number)
        reply = service.post(f"/{process}~process@1.0/schedule", item)
        assert reply.headers["slot"] == str(number)
        assert reply.headers["body+link"] == str(Message.decode(item).id)
        verify(of_tabm(message_of(reply)))
    assert service.node.scheduler.slot(process) == 2


@pytest.mark.parametrize(
    "address",
    [
        "/~scheduler@1.0/schedule",
        "/~scheduler@1.0",
        "/~scheduler@1.0/schedule&target={0}",
        "/~scheduler@1.0/schedule?target={0}",
        "/{0}/schedule",
        "/{0}~process@1.0/schedule",
        "/{0}/~scheduler@1.0/schedule",
        "/{0}~process@1.0/~scheduler@1.0/schedule",
        "/{0}/push",
        "/{0}~process@1.0/push",
        "/push",
        "/schedule",
        "/{0}",
    ],
)
def test_every_address_for_posting_schedules(
    service: Service, process: Id, user_wallet: Wallet, address: str
) -> None:
    """Each form that some client writes leads to the same place."""
    reply = service.post(address.format(process), message_item(user_wallet, process))
    assert (reply.status_code, reply.headers["slot"]) == (200, "1")
    assert reply.headers["process"] == str(process)


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/ans104", "codec-device": "ans104@1.0"},
        {"content-type": "application/ans104"},
        {"codec-device": "ans104@1.0"},
        {"content-type": "application/octet-stream"},
    ],
)
def test_an_item_is_known_by_its_codec_or_its_content_type(
    service: Service, process: Id, user_wallet: Wallet, headers: dict[str, str]
) -> None:
    """HyperBEAM's clients say both, arbundles says bytes."""
    item = message_item(user_wallet, process)
    reply = service.request("POST", f"/{process}/schedule", content=item, headers=headers)
    assert (reply.status_code, reply.headers["slot"]) == (200, "1")


def test_a_message_signed_in_its_headers_is_scheduled(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """An httpsig message is its own request; headers that nobody signed are not part of it."""
    message = Message.create(keys(process), user_wallet, codec="httpsig")
    reply = post_signed(service, f"/{process}/schedule", message, {"x-forwarded-for": "1.2.3.4"})
    assert (reply.status_code, reply.headers["slot"]) == (200, "1")
    stored = service.node.scheduler.entry(process, 1).message
    assert (stored.id, stored.codec) == (message.id, "httpsig")
    assert b"x-forwarded-for" not in stored.keys


def test_a_json_message_with_commitments_is_scheduled(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """What one node shows as JSON, another one takes."""
    item = message_item(user_wallet, process)
    service.post(f"/{process}/schedule", item)
    identifier = Message.decode(item).id
    shown = service.get(f"/{identifier}", accept=JSON).content
    reply = service.request(
        "POST", f"/{process}/schedule", content=shown, headers={"content-type": JSON}
    )
    assert reply.headers["body+link"] == str(identifier)
    assert reply.headers["slot"] == "1"


def test_push_names_the_message(service: Service, process: Id, user_wallet: Wallet) -> None:
    """Aoconnect finds slot and message ID in the reply, as JSON when the item asks for it."""
    item = message_item(user_wallet, process, require_codec=JSON, accept_bundle="true")
    reply = service.post(f"/{process}~process@1.0/push", item)
    assert reply.headers["content-type"] == JSON
    assert reply.json()["slot"] == 1
    assert reply.headers["id"] == str(Message.decode(item).id)


@pytest.mark.parametrize("accept", [JSON, "application/http", "application/ans104", "*/*"])
def test_the_reply_is_the_signed_assignment(
    service: Service, process: Id, user_wallet: Wallet, accept: str
) -> None:
    """In every codec, with or without its message inside, the scheduler's signature verifies."""
    item = message_item(user_wallet, process)
    reply = service.post(f"/{process}/schedule", item, accept=accept)
    assignment = of_tabm(message_of(reply))
    verify(assignment)
    assert assignment == service.node.scheduler.assignment(process, 1)
    assert reply.headers["slot"] == "1"


@pytest.mark.parametrize("accept", [JSON, "application/http"])
def test_the_message_comes_along_in_a_bundle(
    service: Service, process: Id, user_wallet: Wallet, accept: str
) -> None:
    """It carries its own commitments, so that it verifies, too."""
    item = message_item(user_wallet, process)
    reply = service.post(f"/{process}/schedule", item, accept=accept)
    body = message_of(reply)[b"body"]
    assert not isinstance(body, bytes)
    assert Message.of_tabm(body).encoded == item


@pytest.mark.parametrize("sign_replies", [False, True])
def test_the_assignment_is_never_signed_twice(
    services: Services, user_wallet: Wallet, wallet: Wallet, sign_replies: bool
) -> None:
    """Its own signature is the reply's, whether other replies are signed or not."""
    service = services.start(replies={"sign_replies": sign_replies})
    reply = service.post("/push", process_item(user_wallet, wallet.address))
    (commitment,) = commitments_of(message_of(reply)).values()
    assert commitment[b"commitment-device"] == b"ans104@1.0"


def test_other_replies_are_signed_where_that_is_wanted(
    services: Services, user_wallet: Wallet, wallet: Wallet
) -> None:
    """By the operator's wallet, over everything in the message."""
    service = services.start(replies={"sign_replies": True})
    process = service.post("/push", process_item(user_wallet, wallet.address)).headers["process"]
    signed = Message.of_tabm(message_of(service.get(f"/{process}/slot")))
    assert [commitment.committer for commitment in signed.commitments] == [wallet.address]
    assert signed.keys[b"current"] == b"0"


@pytest.mark.guarantee("S13")
def test_the_same_message_again_has_the_same_slot(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """However often, and however many at once: one slot, one assignment."""
    item = message_item(user_wallet, process)
    request = ("POST", f"/{process}/schedule", {"content": item, "headers": item_headers()})
    replies = service.at_once(*[request] * 8) + service.at_once(*[request] * 2)
    assert {reply.headers["slot"] for reply in replies} == {"1"}
    assert len({reply.headers["signature"] for reply in replies}) == 1
    assert service.node.scheduler.slot(process) == 1


def test_posts_at_once_get_slots_without_gaps(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """Whatever order they arrive in, the slots are 1 to n."""
    items = [message_item(user_wallet, process, number) for number in range(12)]
    replies = service.at_once(
        *[
            ("POST", f"/{process}/schedule", {"content": item, "headers": item_headers()})
            for item in items
        ]
    )
    assert sorted(int(reply.headers["slot"]) for reply in replies) == list(range(1, 13))


@pytest.mark.parametrize(
    ("asked", "reached"),
    [
        ("aggressive", {"aggressive", "local", "remote"}),
        ("local", {"local", "remote"}),
        ("remote", {"remote"}),
    ],
)
def test_a_request_names_the_stage_it_waits_for(
    service: Service, process: Id, user_wallet: Wallet, asked: str, reached: set[str]
) -> None:
    """And the reply says which one was reached, never a lower one."""
    item = message_item(user_wallet, process)
    reply = service.post(f"/{process}/schedule?confirmation={asked}", item)
    assert reply.headers["slot"] == "1"
    assert reply.headers["confirmation"] in reached
    again = service.post(f"/{process}/schedule", item, confirmation="remote")
    assert again.headers["confirmation"] == "remote"


def test_the_node_says_which_stage_is_usual(
    services: Services, user_wallet: Wallet, wallet: Wallet
) -> None:
    """Where the operator wants remote confirmation, every answer waits for it."""
    service = services.start(scheduling={"mode": "remote_confirmation"})
    reply = service.post("/push", process_item(user_wallet, wallet.address))
    assert reply.headers["confirmation"] == "remote"
    assert service.node.scheduler.receipt(reply.headers["process"], 0) is not None


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_only_a_post_schedules(
    service: Service, process: Id, user_wallet: Wallet, method: str
) -> None:
    """Whatever else comes with a message, to whichever address, reads."""
    item = message_item(user_wallet, process)
    for address in (f"/{process}/push", f"/{process}/schedule", f"/{process}/push?subject=base"):
        reply = service.request(method, address, content=item, headers=item_headers())
        assert reply.headers["type"] == "schedule"
    assert service.node.scheduler.slot(process) == 0


def test_a_reply_is_never_cached(service: Service, process: Id, user_wallet: Wallet) -> None:
    """A post is answered by the node, each time."""
    reply = service.post(f"/{process}/schedule", message_item(user_wallet, process))
    assert reply.headers["cache-control"] == "no-store"


def test_text_that_is_none_does_not_spoil_the_reply(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """A message of bytes is linked where JSON could not carry it: it was scheduled after all."""
    item = message_item(user_wallet, process, data=b"\xff\x00")
    reply = service.post(f"/{process}/schedule", item, accept=JSON)
    assert reply.status_code == 200
    assert reply.json()["body+link"] == str(Message.decode(item).id)


def test_a_path_that_is_no_header_does_not_spoil_the_reply(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """The assignment repeats the message's path, which may hold line breaks."""
    item = message_item(user_wallet, process, path="a\r\nset-cookie: b=c")
    reply = service.post(f"/{process}/schedule", item)
    assert reply.status_code == 200
    assert "set-cookie" not in reply.headers
    verify(of_tabm(message_of(reply)))


def test_several_wallets_sign_in_the_order_of_the_process(
    services: Services, user_wallet: Wallet, wallet: Wallet
) -> None:
    """A process may name two of our addresses; then its assignments carry both signatures."""
    second = Wallet.generate()
    service = services.start(wallet, second)
    item = process_item(user_wallet, second.address, Scheduler=f"{second.address},{wallet.address}")
    assignment = of_tabm(message_of(service.post("/push", item)))
    verify(assignment)
    committers = {commitment.committer for commitment in assignment.commitments}
    assert committers == {wallet.address, second.address}


def keys(process: Id, **more: str) -> dict[str, str]:
    """Of a message that is signed with httpsig."""
    named = {name.replace("_", "-"): value for name, value in more.items()}
    base = {"type": "Message", "action": "Ping", "target": str(process), "data": "hello"}
    return base | {"data-protocol": "ao", "variant": "ao.N.1"} | named


def item_headers() -> dict[str, str]:
    """Of a request that carries an ANS-104 item."""
    return {"content-type": "application/ans104"}


def post_signed(
    service: Service, address: str, message: Message, more: dict[str, str]
) -> httpx.Response:
    """Send an httpsig message as the request that it is."""
    wire = Wire.parse(message.encoded)
    headers = [*wire.headers, *((k.encode(), v.encode()) for k, v in more.items())]
    return service.request("POST", address, headers=headers, content=wire.body)


def commitments_of(tabm: Tabm) -> dict[bytes, Tabm]:
    """The commitments of a message by ID."""
    return dict(tabm[COMMITMENTS])
