from __future__ import annotations

from collections.abc import Callable

import pytest

from actors.clock import Clock
from protocol.ids import Id
from protocol.message import Message
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.node.http.service import Service

START = 1_700_000_000_000
NOBODY = str(Id(bytes(32)))


def ticking(step: int = 1) -> Clock:
    """A clock that stands still for `step` readings, and then goes on by a millisecond."""
    readings = iter(range(10**6))
    return lambda: START + next(readings) // step


@pytest.fixture
def kept(serve: Callable[..., Service], user_wallet: Wallet, wallet: Wallet) -> Kept:
    """A node with one process and seven messages of it."""
    return Kept(serve(clock=ticking()), user_wallet, wallet)


class Kept:
    """A node that keeps a schedule.

    Attributes:
        process: ID of the process.
        messages: IDs by slot.
        times: milliseconds by slot.
    """

    def __init__(self, service: Service, user: Wallet, scheduler: Wallet, slots: int = 8) -> None:
        self.get = service.get
        items = [process_item(user, scheduler.address)]
        identifier = Message.decode(items[0]).id
        items += [message_item(user, identifier, number) for number in range(1, slots)]
        self.process = str(identifier)
        self.messages = [str(Message.decode(item).id) for item in items]
        stored = [service.node.scheduler.assign(item) for item in items]
        self.times = [assignment.timestamp for assignment in stored]
        self.assignments = [str(assignment.id) for assignment in stored]

    def slots(self, query: str) -> list[int]:
        """The slots of the page that a query gives."""
        page = self.get(f"/{self.process}?process-id={self.process}&{query}").json()
        return [nonce(edge["node"]) for edge in page["edges"]]


def nonce(node: dict) -> int:
    tags = {tag["name"]: tag["value"] for tag in node["assignment"]["tags"]}
    return int(tags["Nonce"])


def test_a_page_begins_with_the_process(kept: Kept) -> None:
    """Without bounds, the first page is slot 0 and what follows, and says whether it goes on."""
    reply = kept.get(f"/{kept.process}?process-id={kept.process}&limit=3")
    page = reply.json()
    assert reply.headers["content-type"] == "application/json"
    assert page["page_info"] == {"has_next_page": True}
    assert [edge["node"]["message"]["id"] for edge in page["edges"]] == kept.messages[:3]
    assert [edge["node"]["assignment"]["id"] for edge in page["edges"]] == kept.assignments[:3]
    assert [edge["cursor"] for edge in page["edges"]] == [str(time) for time in kept.times[:3]]


NONCES = {
    "from-nonce=-1": [0, 1, 2, 3, 4, 5, 6, 7],
    "to-nonce=2": [0, 1, 2],
    "from-nonce=2": [3, 4, 5, 6, 7],
    "from-nonce=2&to-nonce=4": [3, 4],
    "from-nonce=2&to-nonce=4&limit=1": [3],
    "from-nonce=0&limit=1000": [1, 2, 3, 4, 5, 6, 7],
    "from-nonce=7": [],
    "from-nonce=900&to-nonce=3": [],
    "from-nonce=1&from=0&to=5": [2, 3, 4, 5, 6, 7],
    "from-nonce=&to-nonce=1": [0, 1],
}


@pytest.mark.parametrize(("query", "slots"), NONCES.items())
def test_nonces_bound_a_page(kept: Kept, query: str, slots: list[int]) -> None:
    """After `from-nonce`, up to and with `to-nonce`; -1 is before the process itself."""
    assert kept.slots(query) == slots


def test_times_bound_a_page(kept: Kept) -> None:
    """After `from`, up to and with `to`; who names a time does not get the process again."""
    times = kept.times
    assert kept.slots(f"from={times[2]}") == [3, 4, 5, 6, 7]
    assert kept.slots(f"from={times[2]}&to={times[4]}") == [3, 4]
    assert kept.slots(f"to={times[1]}") == [0, 1]
    assert kept.slots("from=0&limit=2") == [1, 2]
    assert kept.slots("to=1") == []
    assert kept.slots(f"from={times[7]}") == []


@pytest.mark.parametrize("limit", [1, 2, 3, 8])
def test_cursors_lead_through_all_slots_once(
    serve: Callable[..., Service], user_wallet: Wallet, wallet: Wallet, limit: int
) -> None:
    """Slots of one millisecond stay in one page, so following cursors misses none of them."""
    kept = Kept(serve(clock=ticking(3)), user_wallet, wallet, 11)
    assert len(set(kept.times)) < len(kept.times)
    seen, query, goes_on = [], "", True
    while goes_on:
        address = f"/{kept.process}?process-id={kept.process}&limit={limit}{query}"
        page = kept.get(address).json()
        seen += [nonce(edge["node"]) for edge in page["edges"]]
        goes_on = page["page_info"]["has_next_page"]
        query = f"&from={page['edges'][-1]['cursor']}"
    assert seen == list(range(11))


@pytest.mark.parametrize("query", ["", "process-id={0}", "process-id={0}&from-nonce=2"])
def test_a_message_is_found_by_its_id(kept: Kept, query: str) -> None:
    """Its slot is answered, with and without its process."""
    named = query.format(kept.process) or "limit=1"
    node = kept.get(f"/{kept.messages[4]}?{named}").json()
    assert (node["message"]["id"], nonce(node)) == (kept.messages[4], 4)


def test_the_newest_slot_is_answered(kept: Kept) -> None:
    """`latest` is the highest stored slot."""
    node = kept.get(f"/{kept.process}/latest?process-id={kept.process}").json()
    assert (node["message"]["id"], nonce(node)) == (kept.messages[7], 7)


def test_a_process_object_is_answered(kept: Kept) -> None:
    """`/processes/` answers what slot 0 says of the process."""
    shown = kept.get(f"/processes/{kept.process}").json()
    assert (shown["process_id"], shown["timestamp"]) == (kept.process, kept.times[0])


def test_time_and_block_are_answered(kept: Kept, wallet: Wallet) -> None:
    """The root names the operator, and heights have twelve digits."""
    assert kept.get("/").json()["address"] == str(wallet.address)
    assert kept.get("/").json()["timestamp"].isdecimal()
    stamp = kept.get("/timestamp?process-id=" + kept.process).json()
    assert stamp["timestamp"].isdecimal()
    assert stamp["block_height"] == "0" * 12


REFUSED = {
    "/{0}?process-id={0}&limit=x": "limit is no whole number",
    "/{0}?process-id={0}&limit=0": "limit is at least 1",
    "/{0}?process-id={0}&from-nonce=1.5": "from-nonce is no whole number",
    "/{0}?process-id=x": "not a 43-character base64url ID",
    f"/{NOBODY}?process-id={{0}}": "Message or Process not found",
    f"/{NOBODY}?process-id={NOBODY}": "known neither here",
    f"/{NOBODY}?limit=1": "",
    f"/{NOBODY}/latest": "known neither here",
    f"/processes/{NOBODY}": "known neither here",
    "/processes/x": "not a 43-character base64url ID",
}


@pytest.mark.parametrize(("address", "said"), REFUSED.items())
def test_every_refusal_is_400_with_one_sentence(kept: Kept, address: str, said: str) -> None:
    """Clients of this interface know no 404: the error is in the body."""
    reply = kept.get(address.format(kept.process))
    assert reply.status_code == 400
    assert list(reply.json()) == ["error"]
    assert said in reply.json()["error"]
    assert reply.headers["cache-control"] == "no-store"
