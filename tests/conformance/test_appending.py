"""Points 1 to 7, 14 and 17 of the draft: what is scheduled, for whom, and how it is assigned."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from protocol.chain import chain_rule
from protocol.codecs.assignment import of_tabm, verify
from protocol.codecs.httpsig_commitment import commit, to_wire
from protocol.codecs.structured import to_tabm
from protocol.codecs.wire import Wire
from protocol.errors import InvalidSignature
from protocol.ids import Id
from protocol.message import Message
from protocol.tabm import COMMITMENTS, Tabm
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.node.http.replies import message_of
from tests.node.http.service import Service, Services

JSON = "application/json"


@pytest.mark.parametrize("key", ["schedule", "", "anything", "compute", "append"])
def test_1_every_key_but_the_named_ones_is_schedule(
    service: Service, process: Id, user_wallet: Wallet, key: str
) -> None:
    """1: a bare call, too; POST appends and anything else reads."""
    address = f"/{process}/~scheduler@1.0/{key}"
    assert service.post(address, message_item(user_wallet, process)).headers["slot"] == "1"
    for method in ("GET", "HEAD", "PUT"):
        reply = service.request(method, address)
        assert (reply.status_code, reply.headers["type"]) == (200, "schedule")
    assert service.node.scheduler.slot(process) == 1


@pytest.mark.parametrize(
    ("key", "shows"),
    [("slot", "current"), ("status", "address"), ("next&at-slot=-1", "body"), ("info", "address")],
)
def test_1_the_named_keys_are_themselves(
    service: Service, process: Id, user_wallet: Wallet, key: str, shows: str
) -> None:
    """1: nothing that is posted to them is appended."""
    address = f"/{process}/~scheduler@1.0/{key}"
    reply = service.post(address, message_item(user_wallet, process), accept=JSON)
    assert shows in reply.json()
    assert service.node.scheduler.slot(process) == 0


@pytest.mark.parametrize("key", ["init", "checkpoint"])
def test_1_init_and_checkpoint_change_nothing(
    service: Service, process: Id, user_wallet: Wallet, key: str
) -> None:
    """1: they are there, and do nothing."""
    item = message_item(user_wallet, process)
    assert service.post(f"/{process}/~scheduler@1.0/{key}", item).status_code == 200
    assert service.node.scheduler.slot(process) == 0


def test_2_a_process_is_its_own(service: Service, user_wallet: Wallet, wallet: Wallet) -> None:
    """2: a message of type Process has its own ID, whatever it names as its target."""
    item = process_item(user_wallet, wallet.address, target=str(wallet.address))
    own = Message.decode(item).id
    reply = service.post(f"/{own}/schedule", item)
    assert (reply.headers["process"], reply.headers["slot"]) == (str(own), "0")


def test_2_a_message_is_for_its_target(service: Service, process: Id, user_wallet: Wallet) -> None:
    """2: the address may leave it out, and cannot change it."""
    item = message_item(user_wallet, process)
    assert service.post("/~scheduler@1.0/schedule", item).headers["process"] == str(process)
    reply = service.post(f"/{Id(bytes(32))}/schedule", item)
    assert reply.json()["code"] == "wrong_target"


def test_2_reading_is_of_the_target_then_of_the_base(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """2: a message that the path begins with leads to the process it names."""
    item = message_item(user_wallet, process, Process=str(process))
    service.post("/push", item)
    base = Message.decode(item).id
    for address in (
        f"/~scheduler@1.0/slot?target={process}",
        f"/~scheduler@1.0/slot?target={process}?hint=https://other.example",
        f"/{base}/~scheduler@1.0/slot?target={process}",
        f"/{base}/~scheduler@1.0/slot",
        f"/{process}/~scheduler@1.0/slot",
    ):
        assert service.get(address).headers["process"] == str(process)


def test_3_the_subject_is_what_is_scheduled(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """3: a key of the request, the request itself, or the base; its `body` by default."""
    inner = Message.decode(message_item(user_wallet, process, 1))
    request = {b"extra": b"x", b"inside": inner.tabm, b"body": inner.tabm}
    for subject in ("", "&subject=inside", "&subject=body"):
        reply = post(service, f"/~scheduler@1.0/schedule{subject}", request)
        assert reply.headers["body+link"] == str(inner.id)
    both = commit(to_tabm({"target": str(process), "body": "text"}), user_wallet)
    for subject in ("", "&subject=self"):
        reply = post(service, f"/~scheduler@1.0/schedule{subject}", both)
        assert reply.headers["body+link"] == str(Message.of_tabm(both).id)
    base = service.post(f"/{inner.id}/~scheduler@1.0/schedule?subject=base")
    assert base.headers["body+link"] == str(inner.id)


@pytest.mark.parametrize(
    "request_keys",
    [{b"body+link": b"A" * 43}, {b"x": b"y", b"subject": b"missing"}, {b"subject": b"base"}],
)
def test_3_a_message_that_cannot_be_loaded_is_not_found(
    service: Service, request_keys: Tabm
) -> None:
    """3: 404 in the draft's words."""
    reply = post(service, "/~scheduler@1.0/schedule", request_keys)
    assert reply.status_code == 404
    assert reply.json()["detail"] == "Cannot fully load message to schedule."


def test_3_a_link_to_a_message_that_is_here_is_followed(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """3: a client need not send again what the node holds."""
    item = message_item(user_wallet, process)
    service.post("/push", item)
    identifier = Message.decode(item).id
    reply = post(service, "/~scheduler@1.0/schedule", {b"body+link": identifier.ascii})
    assert (reply.headers["body+link"], reply.headers["slot"]) == (str(identifier), "1")


@pytest.mark.guarantee("S2")
def test_4_slots_have_no_gaps_and_no_duplicates(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """4: also under concurrent posts, some of them at fault."""
    good = [message_item(user_wallet, process, number) for number in range(10)]
    bad = [item[:-1] for item in good]
    sent = [item for pair in zip(good, bad, strict=True) for item in pair]
    headers = {"content-type": "application/ans104"}
    replies = service.at_once(
        *[("POST", "/push", {"content": item, "headers": headers}) for item in sent]
    )
    slots = [int(reply.headers["slot"]) for reply in replies if reply.status_code == 200]
    assert sorted(slots) == list(range(1, 11))
    assert service.get(f"/{process}/slot/current").text == "10"


def test_5_an_assignment_has_its_shape(service: Service, process: Id, user_wallet: Wallet) -> None:
    """5: `slot` is a true integer, `path` the message's own or `compute`."""
    own = service.post("/push", message_item(user_wallet, process, path="push"), accept=JSON).json()
    usual = service.post("/push", message_item(user_wallet, process), accept=JSON).json()
    assert (own["path"], usual["path"]) == ("push", "compute")
    assert (own["slot"], usual["slot"]) == (1, 2)
    fixed = {"data-protocol": "ao", "variant": "ao.N.1", "type": "Assignment", "epoch": "0"}
    assert fixed.items() <= usual.items()
    assert usual["process"] == str(process)
    numbers = ("block-height", "block-timestamp", "slot", "timestamp")
    assert all(isinstance(usual[name], int) for name in numbers)


def test_6_every_wallet_that_is_named_and_held_signs(
    services: Services, user_wallet: Wallet, wallet: Wallet
) -> None:
    """6: of the addresses a process names, those and no others."""
    second = Wallet.generate()
    service = services.start(wallet, second)
    names = f"{Id(bytes(32))},{second.address}, {wallet.address}"
    both = service.post("/push", process_item(user_wallet, wallet.address, Scheduler=names))
    one = service.post("/push", process_item(user_wallet, second.address))
    assert committers(both) == {second.address, wallet.address}
    assert committers(one) == {second.address}


@pytest.mark.guarantee("S3")
@pytest.mark.parametrize("chain", ["hash-chain", "base-hashpath"])
@pytest.mark.parametrize("device", ["ans104@1.0", "httpsig@1.0"])
def test_7_the_chain_is_as_configured_and_can_be_recomputed(
    services: Services, user_wallet: Wallet, wallet: Wallet, chain: str, device: str
) -> None:
    """7: by anybody, from slot 0, from what the node shows."""
    service = services.start(scheduling={"chain": chain, "commitment_device": device})
    reply = service.post("/push", process_item(user_wallet, wallet.address))
    process = Id.parse(reply.headers["process"])
    for number in range(3):
        service.post("/push", message_item(user_wallet, process, number))
    page = message_of(service.get(f"/{process}/schedule", accept_bundle="true"))[b"assignments"]
    rule, link, before = chain_rule(chain), "", None
    for slot in range(4):
        assignment = of_tabm(page[b"%d" % slot])
        verify(assignment)
        assert {commitment.device for commitment in assignment.commitments} == {device}
        link = rule.next(link, assignment.message_id, before)
        assert (assignment.chain, assignment.link) == (chain, link)
        before = assignment.id


def unsigned(message: Tabm) -> Tabm:
    """The message without anybody's signature."""
    return {key: value for key, value in message.items() if key != COMMITMENTS}


def changed(message: Tabm) -> Tabm:
    """The message with another value under one of the keys that were signed."""
    return {**message, b"action": b"Other"}


def only_hmac(message: Tabm) -> Tabm:
    """The message with no more than the code that everybody can make."""
    commitments = message[COMMITMENTS]
    assert not isinstance(commitments, bytes)
    macs = {key: fields for key, fields in commitments.items() if b"committer" not in fields}
    assert macs
    return {**message, COMMITMENTS: macs}


@pytest.mark.guarantee("S10")
@pytest.mark.parametrize("spoil", [unsigned, changed, only_hmac])
def test_14_a_message_needs_a_signer_that_verifies(
    service: Service, process: Id, user_wallet: Wallet, spoil: Callable[[Tabm], Tabm]
) -> None:
    """14: an HMAC is no signer, for its key is public."""
    signed = commit(to_tabm(plain(process)), user_wallet)
    assert post(service, f"/{process}/schedule", signed).status_code == 200
    other = commit(to_tabm(plain(process, number=2)), user_wallet)
    reply = post(service, f"/{process}/schedule", spoil(other))
    assert (reply.status_code, reply.json()["code"]) == (400, InvalidSignature.code)
    assert service.node.scheduler.slot(process) == 1


@pytest.mark.guarantee("S10")
def test_14_only_committed_keys_are_scheduled(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """14: what travels along unsigned is cut off."""
    signed = commit(to_tabm(plain(process)), user_wallet)
    post(service, f"/{process}/schedule", {**signed, b"x-extra": b"not signed"})
    shown = service.get(f"/{Message.of_tabm(signed).id}", accept=JSON).json()
    assert "x-extra" not in shown
    assert shown["action"] == "Ping"


@pytest.fixture
def legacy(service: Service, user_wallet: Wallet, wallet: Wallet) -> Id:
    """A process of the older variant."""
    item = process_item(user_wallet, wallet.address, Variant="ao.TN.1")
    return Id.parse(service.post("/push", item).headers["process"])


def test_17_an_older_process_is_read_by_nonce(
    service: Service, legacy: Id, user_wallet: Wallet
) -> None:
    """17: the nonce is the slot, and a page begins after `from-nonce`."""
    for number in range(3):
        service.post("/push", message_item(user_wallet, legacy, number, Variant="ao.TN.1"))
    page = service.get(f"/{legacy}?process-id={legacy}&from-nonce=0&to-nonce=2").json()
    shown = [edge["node"]["assignment"]["tags"] for edge in page["edges"]]
    nonces = [tag["value"] for tags in shown for tag in tags if tag["name"] == "Nonce"]
    assert nonces == ["1", "2"]


def test_17_an_older_process_is_seen_as_all_others_too(
    service: Service, legacy: Id, user_wallet: Wallet
) -> None:
    """17: through the scheduler's own address its assignments come in the usual form."""
    service.post("/push", message_item(user_wallet, legacy, Variant="ao.TN.1"))
    page = service.get(f"/{legacy}/~scheduler@1.0/schedule", accept="application/aos-2").json()
    assert [edge["cursor"] for edge in page["edges"]] == [0, 1]
    assert service.get(f"/{legacy}/slot/current").text == "1"


def test_17_an_older_process_takes_data_items_only(
    service: Service, legacy: Id, user_wallet: Wallet
) -> None:
    """17: 422 for a message that is signed in any other form."""
    reply = post(service, f"/{legacy}/schedule", commit(to_tabm(plain(legacy)), user_wallet))
    assert (reply.status_code, reply.json()["code"]) == (422, "unsupported_process")
    assert service.node.scheduler.slot(legacy) == 0


def plain(process: Id, number: int = 1) -> dict[str, str | int]:
    """The keys of a message."""
    base = {"type": "Message", "action": "Ping", "target": str(process), "data": "hello"}
    return base | {"data-protocol": "ao", "variant": "ao.N.1", "reference": number}


def post(service: Service, address: str, message: Tabm) -> httpx.Response:
    """Post a message in the form of HyperBEAM: keys are headers, the rest is the body."""
    wire: Wire = to_wire(message, bundle=True)
    return service.request("POST", address, headers=list(wire.headers), content=wire.body)


def committers(reply: httpx.Response) -> set[Id]:
    """Who signed the assignment of a reply, whose signatures verify."""
    assignment = of_tabm(message_of(reply))
    verify(assignment)
    return {commitment.committer for commitment in assignment.commitments}
