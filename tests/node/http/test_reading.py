from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from node.http.handlers import meta
from protocol.codecs.assignment import of_tabm, verify
from protocol.ids import Id
from protocol.message import Message
from protocol.tabm import Tabm
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.node.http.replies import message_of
from tests.node.http.service import Service, Services

JSON = "application/json"
SLOTS = 6
"""Of the process that is read here: itself, and five messages."""


@pytest.fixture
def process(service: Service, process: Id, user_wallet: Wallet) -> Id:
    """A process with six slots."""
    for number in range(1, SLOTS):
        service.post(f"/{process}/schedule", message_item(user_wallet, process, number))
    return process


RANGES = [
    ("", range(6), False),
    ("from=2", range(2, 6), False),
    ("to=2", range(3), False),
    ("from=2&to=3", range(2, 4), False),
    ("from=-5&to=1", range(2), False),
    ("from=&from=4", range(4, 6), False),
    ("from+integer=4", range(4, 6), False),
    ("from=5&to=90", range(5, 6), False),
    ("limit=2", range(2), True),
    ("from=1&to=5&limit=3", range(1, 4), True),
    ("from=4&limit=2", range(4, 6), False),
    ("limit=0", range(1), True),
    ("from=6", range(0), False),
    ("from=500", range(0), False),
    ("from=3&to=2", range(0), False),
]


@pytest.mark.parametrize(("query", "slots", "continues"), RANGES)
def test_a_range_of_slots_is_a_page(
    service: Service, process: Id, query: str, slots: range, continues: bool
) -> None:
    """Both ends are included, the defaults are all there is, and `continues` tells of more."""
    page = message_of(service.get(f"/{process}/schedule?{query}", accept_bundle="true"))
    assert slots_of(page) == list(slots)
    assert page[b"continues"] == str(continues).lower().encode()
    assert (page[b"type"], page[b"process"]) == (b"schedule", process.ascii)


@pytest.mark.parametrize(
    "address",
    [
        "/{0}/schedule&from=1&to=2",
        "/{0}/schedule%3Ffrom=1&to=2",
        "/{0}~process@1.0/schedule?from=1&to=2",
        "/{0}/~scheduler@1.0/schedule?from=1&to=2",
        "/~scheduler@1.0/schedule?target={0}&from=1&to=2",
        "/~scheduler@1.0/schedule&target={0}&from+integer=1?to=2",
        "/~scheduler@1.0/&target={0}&from=1&to=2",
        "/~scheduler@1.0?target={0}&from=1&to=2",
    ],
)
def test_every_address_for_reading_reads(service: Service, process: Id, address: str) -> None:
    """Each form that some client writes leads to the same page."""
    reply = service.get(address.format(process), accept="application/http")
    assert slots_of(message_of(reply)) == [1, 2]


def test_everything_in_a_page_verifies(service: Service, process: Id, user_wallet: Wallet) -> None:
    """Each assignment by the scheduler's signature, each message by its sender's."""
    page = message_of(service.get(f"/{process}/schedule", accept_bundle="true"))
    for slot in range(SLOTS):
        shown = nested(nested(page, b"assignments"), b"%d" % slot)
        assignment = of_tabm(shown)
        verify(assignment)
        message = Message.of_tabm(nested(shown, b"body"))
        assert message.id == assignment.message_id
        assert message.commitments[0].committer == user_wallet.address


def test_a_page_in_json_is_for_people(service: Service, process: Id) -> None:
    """Numbers are numbers, lists are lists, and nothing is behind a link."""
    page = service.get(f"/{process}/schedule?from=1&to=1", accept=JSON).json()
    assert page["assignments"]["1"]["slot"] == 1
    assert page["assignments"]["1"]["body"]["data"] == "message 1"


def test_one_message_of_bytes_does_not_spoil_a_json_page(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """It alone is linked by its ID, the others are there."""
    item = message_item(user_wallet, process, data=b"\xff")
    service.post(f"/{process}/schedule", item)
    page = service.get(f"/{process}/schedule?from=5", accept=JSON).json()
    assert page["assignments"]["5"]["body"]["data"] == "message 5"
    assert page["assignments"]["6"]["body+link"] == str(Message.decode(item).id)


@pytest.mark.parametrize("how", ["header", "query"])
def test_a_page_as_aos_2(service: Service, process: Id, how: str) -> None:
    """The older readers' JSON, with the slot as the cursor."""
    address = f"/{process}/schedule?from=1&to=2"
    if how == "header":
        reply = service.get(address, accept="application/aos-2")
    else:
        reply = service.get(address + "&accept=application/aos-2")
    assert reply.headers["content-type"] == JSON
    assert [edge["cursor"] for edge in orjson.loads(reply.content)["edges"]] == [1, 2]


def test_a_page_without_a_bundle_is_linked(service: Service, process: Id) -> None:
    """As HyperBEAM does unless nested messages are asked for."""
    reply = service.get(f"/{process}/schedule")
    assert Id.parse(reply.headers["assignments+link"])
    assert reply.headers["continues"] == "false"


@pytest.mark.parametrize(
    "address",
    ["/{0}/slot", "/{0}~process@1.0/slot", "/~scheduler@1.0/slot?target={0}", "/{0}/slot&a=b"],
)
def test_slot_tells_the_newest_one(
    service: Service, process: Id, wallet: Wallet, address: str
) -> None:
    """With the newest block, who signs, under both names for that, and never cached."""
    reply = service.get(address.format(process), accept=JSON)
    assert reply.json() == {
        "process": str(process),
        "current": SLOTS - 1,
        "timestamp": 0,
        "block-height": 0,
        "block-hash": "A" * 43,
        "addresses": [str(wallet.address)],
        "wallet-address": str(wallet.address),
        "cache-control": "no-store",
    }
    assert reply.headers["cache-control"] == "no-store"


def test_slot_current_is_a_number(service: Service, process: Id) -> None:
    """Aoconnect reads the text of the reply."""
    reply = service.get(f"/{process}~process@1.0/slot/current")
    assert (reply.text, reply.headers["ao-types"]) == ("5", 'body="integer"')
    assert reply.headers["cache-control"] == "no-store"


def test_asking_with_an_item_schedules_nothing(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """Aoconnect asks for the slot with a signed message, which is no message to the process."""
    asked = Message.create({"Type": "Message", "Variant": "ao.N.1"}, user_wallet).encoded
    assert service.post(f"/{process}/slot/current", asked).text == "5"
    assert service.post(f"/{process}/slot/current", message_item(user_wallet, process)).text == "5"
    assert service.node.scheduler.slot(process) == SLOTS - 1


@pytest.mark.parametrize("at_slot", [-1, 0, 4])
def test_next_is_the_slot_after(service: Service, process: Id, at_slot: int) -> None:
    """Exactly that assignment, with its message when nested ones are asked for."""
    address = f"/~scheduler@1.0/next?target={process}&at-slot={at_slot}"
    body = nested(message_of(service.get(address, accept_bundle="true")), b"body")
    assert of_tabm(body) == service.node.scheduler.assignment(process, at_slot + 1)
    assert Message.of_tabm(nested(body, b"body")).id == of_tabm(body).message_id


def test_there_is_no_next_of_the_newest(service: Service, process: Id) -> None:
    """Until there is one."""
    reply = service.get(f"/{process}/next?at-slot=5")
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


def test_status_tells_the_address_and_the_processes(
    service: Service, process: Id, wallet: Wallet
) -> None:
    """And where the list goes on; never cached."""
    reply = service.get("/~scheduler@1.0/status", accept=JSON)
    assert reply.json()["address"] == str(wallet.address)
    assert reply.json()["processes"] == [str(process)]
    assert reply.headers["cache-control"] == "no-store"
    after = service.get(f"/~scheduler@1.0/status?after={process}", accept=JSON)
    assert after.json()["processes"] == []


@pytest.mark.parametrize("accept", [JSON, "application/http"])
def test_many_processes_come_in_several_replies(
    service: Service,
    user_wallet: Wallet,
    wallet: Wallet,
    accept: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While `more` is said, there are others after the last one told."""
    monkeypatch.setattr(meta, "MAX_PROCESSES", 2)
    items = [process_item(user_wallet, wallet.address, Name=str(number)) for number in range(4)]
    spawned = [Id.parse(service.post("/push", item).headers["process"]) for item in items]
    told: list[Id] = []
    said = []
    for _ in range(2):
        query = f"?after={told[-1]}" if told else ""
        reply = message_of(service.get(f"/~scheduler@1.0/status{query}", accept=accept))
        told += [Id.parse(reply[b"processes"][number]) for number in (b"1", b"2")]
        said.append(reply[b"more"])
    assert (told, said) == (sorted(spawned), [b"true", b"false"])


def test_meta_tells_the_address_as_text(service: Service, wallet: Wallet) -> None:
    """Aoconnect asks for it when nobody named a scheduler."""
    assert service.get("/~meta@1.0/info/address").text == str(wallet.address)
    assert service.get("/~meta@1.0/info", accept=JSON).json()["address"] == str(wallet.address)


@pytest.mark.parametrize("key", ["init", "checkpoint"])
def test_init_and_checkpoint_do_nothing(service: Service, process: Id, key: str) -> None:
    """A scheduler that keeps all it has is asked nothing by them."""
    reply = service.get(f"/{process}/~scheduler@1.0/{key}", accept=JSON)
    assert reply.json() == {"process": str(process)}
    assert service.get(f"/~scheduler@1.0/{key}", accept=JSON).json() == {}


def test_a_message_is_found_by_its_id(service: Service, process: Id) -> None:
    """As JSON with what ao-scheduler-utils looks for in its commitment."""
    reply = service.get(f"/{process}?require-codec=application/json")
    commitment = reply.json()["commitments"][str(process)]
    assert commitment["type"] == "rsa-pss-sha256"
    assert "scheduler" in commitment["committed"]
    assert {"name": "Type", "value": "Process"} in commitment["original-tags"].values()


@pytest.mark.parametrize("address", ["/{0}/type", "/{0}~process@1.0/type"])
def test_a_key_of_a_message_is_its_value(service: Service, process: Id, address: str) -> None:
    """A path goes on into what it names."""
    assert service.get(address.format(process)).text == "Process"
    assert service.get(f"/{process}/nothing").status_code == 404
    assert service.get(f"/{process}/type/nothing").status_code == 404


def test_an_item_comes_back_as_it_came(service: Service, process: Id, user_wallet: Wallet) -> None:
    """Byte for byte."""
    item = message_item(user_wallet, process, 9)
    service.post(f"/{process}/schedule", item)
    reply = service.get(f"/{Message.decode(item).id}", accept="application/ans104")
    assert (reply.content, reply.headers["codec-device"]) == (item, "ans104@1.0")


LASTING = ["schedule?from=1&to=3", "schedule?limit=2", "next?at-slot=2", "type", ""]
CHANGING = ["schedule", "schedule?to=9", "schedule?limit=6", "schedule?from=9", "slot"]


@pytest.mark.parametrize("what", LASTING)
def test_what_is_past_may_be_kept_for_ever(service: Service, process: Id, what: str) -> None:
    """It is named by an ETag, stays equal byte for byte, and is not sent twice."""
    first = service.get(f"/{process}/{what}", accept=JSON)
    service.node.scheduler.status()
    assert "immutable" in first.headers["cache-control"]
    known = service.get(f"/{process}/{what}", accept=JSON, if_none_match=first.headers["etag"])
    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["etag"] == first.headers["etag"]
    other = service.get(f"/{process}/{what}", accept_bundle="true")
    assert other.headers["etag"] != first.headers["etag"]


def test_a_past_page_stays_equal(service: Service, process: Id, user_wallet: Wallet) -> None:
    """Also when the schedule has gone on."""
    before = service.get(f"/{process}/schedule?from=1&to=3", accept_bundle="true")
    service.post(f"/{process}/schedule", message_item(user_wallet, process, 77))
    after = service.get(f"/{process}/schedule?from=1&to=3", accept_bundle="true")
    assert (before.content, before.headers) == (after.content, after.headers)


def test_a_signed_page_is_kept_by_a_weak_tag(
    services: Services, user_wallet: Wallet, wallet: Wallet
) -> None:
    """It says the same each time, under a signature that is new each time."""
    service = services.start(replies={"sign_replies": True})
    process = service.post("/push", process_item(user_wallet, wallet.address)).headers["process"]
    address = f"/{process}/schedule?from=0&to=0"
    tag = service.get(address).headers["etag"]
    assert tag.startswith("W/")
    assert service.get(address, if_none_match=tag).status_code == 304


@pytest.mark.parametrize("what", CHANGING)
def test_what_the_next_slot_changes_is_not_kept(service: Service, process: Id, what: str) -> None:
    """Nor has it an ETag that would pretend so."""
    reply = service.get(f"/{process}/{what}", accept=JSON)
    assert reply.headers["cache-control"] == "no-store"
    assert "etag" not in reply.headers


@pytest.mark.parametrize(
    "ask",
    [
        lambda service, process: service.request("HEAD", f"/{process}/slot"),
        lambda service, process: service.get(f"/{process}/nothing"),
        lambda service, process: service.request("OPTIONS", f"/{process}/schedule"),
        lambda service, process: service.post(f"/{process}/schedule", b"no item"),
    ],
)
def test_pages_of_other_origins_may_read_every_reply(
    service: Service, process: Id, ask: Callable[[Service, Id], object]
) -> None:
    """Errors, too, and a browser may ask beforehand."""
    headers = ask(service, process).headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["access-control-expose-headers"] == "*"


@pytest.mark.parametrize("accept", [JSON, "*/*"])
def test_a_message_cannot_speak_for_the_node(
    service: Service, process: Id, user_wallet: Wallet, accept: str
) -> None:
    """Keys that are headers of the connection, or orders to a browser, stand in the body."""
    orders: dict[str, Any] = {"NEL": "{}", "Report_To": "{}", "Set_Cookie": "a=b", "Location": "/"}
    item = message_item(user_wallet, process, Content_Length="3", **orders)
    service.post(f"/{process}/schedule", item)
    reply = service.get(f"/{Message.decode(item).id}", accept=accept)
    assert message_of(reply)[b"set-cookie"] == b"a=b"
    assert not {"nel", "report-to", "set-cookie", "location"} & reply.headers.keys()
    assert int(reply.headers["content-length"]) == len(reply.content)


def test_a_message_that_is_a_web_page_is_harmless(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """It has no scripts and no origin where our own pages live."""
    item = message_item(user_wallet, process, Content_Type="text/html", data="<script>1</script>")
    service.post(f"/{process}/schedule", item)
    reply = service.get(f"/{Message.decode(item).id}")
    assert reply.headers["content-security-policy"] == "sandbox"
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_an_empty_schedule_is_at_minus_one(
    services: Services, user_wallet: Wallet, wallet: Wallet
) -> None:
    """A process that names us and has not come yet is known only to who brings it."""
    service = services.start()
    unknown = Message.decode(process_item(user_wallet, wallet.address)).id
    assert service.get(f"/{unknown}/slot").status_code == 404


def slots_of(page: Tabm) -> list[int]:
    """The slots in a page, in order."""
    return sorted(int(key) for key in page.get(b"assignments", {}) if key.isdigit())


def nested(tabm: Tabm, key: bytes) -> Tabm:
    """A nested message."""
    inside = tabm[key]
    assert not isinstance(inside, bytes)
    return inside
