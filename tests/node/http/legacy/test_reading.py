from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.ids import Id
from protocol.message import Message
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.node.http.service import Service

SLOTS = 8
NOBODY = str(Id(bytes(32)))


@pytest.fixture
def kept(service: Service, user_wallet: Wallet, wallet: Wallet) -> Kept:
    """A node with one process and seven messages of it."""
    return Kept(service, user_wallet, wallet)


class Kept:
    """A node that keeps a schedule.

    Attributes:
        process: ID of the process.
        messages: IDs by slot.
        times: milliseconds by slot.
    """

    def __init__(self, service: Service, user: Wallet, scheduler: Wallet) -> None:
        self.request = service.request
        self.get = partial(service.request, "GET")
        items = [process_item(user, scheduler.address)]
        identifier = Message.decode(items[0]).id
        items += [message_item(user, identifier, number) for number in range(1, SLOTS)]
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
    page, many = reply.json(), len(reply.json()["edges"])
    assert reply.headers["content-type"] == "application/json"
    assert page["page_info"] == {"has_next_page": many < SLOTS}
    assert many >= 3
    assert [edge["node"]["message"]["id"] for edge in page["edges"]] == kept.messages[:many]
    assert [edge["node"]["assignment"]["id"] for edge in page["edges"]] == kept.assignments[:many]
    assert [edge["cursor"] for edge in page["edges"]] == [str(t) for t in kept.times[:many]]


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
    early, late = kept.times[2], kept.times[5]
    after = [slot for slot in range(1, SLOTS) if kept.times[slot] > early]
    assert kept.slots(f"from={early}") == after
    assert kept.slots(f"from={early}&to={late}") == [s for s in after if kept.times[s] <= late]
    assert kept.slots(f"to={early}") == [s for s in range(SLOTS) if kept.times[s] <= early]
    assert kept.slots("from=0")[0] == 1
    assert kept.slots("to=1") == kept.slots(f"from={kept.times[-1]}") == []


@pytest.mark.parametrize("query", ["", "process-id={0}", "process-id={0}&from-nonce=2"])
def test_a_message_is_found_by_its_id(kept: Kept, query: str) -> None:
    """Its slot is answered, with and without its process."""
    named = query.format(kept.process) or "limit=1"
    node = kept.get(f"/{kept.messages[4]}?{named}").json()
    assert (node["message"]["id"], nonce(node)) == (kept.messages[4], 4)


def test_an_assignment_is_found_by_its_id(kept: Kept) -> None:
    """Its slot is answered, where the process is named."""
    for slot in (0, 4, 7):
        node = kept.get(f"/{kept.assignments[slot]}?process-id={kept.process}").json()
        assert (node["assignment"]["id"], nonce(node)) == (kept.assignments[slot], slot)


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
    f"/{NOBODY}?process-id={NOBODY}": "",
    f"/{NOBODY}?limit=1": "",
    f"/{NOBODY}/latest": "",
    f"/processes/{NOBODY}": "",
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


def test_a_page_of_large_messages_goes_on_in_the_next(
    service: Service, user_wallet: Wallet, wallet: Wallet
) -> None:
    """A page is cut at 32 MiB of messages, by nonce and by time, and no slot is lost at the cut."""
    spawn = process_item(user_wallet, wallet.address)
    process = Message.decode(spawn).id
    service.node.scheduler.assign(spawn)
    for number in range(5):
        item = message_item(user_wallet, process, number, data="x" * (9 << 20))
        service.node.scheduler.assign(item)
    for cursor in ("from-nonce", "from"):
        seen, query, goes_on = [], "", True
        pages = 0
        while goes_on:
            page = service.request("GET", f"/{process}?limit=100{query}").json()
            seen += [nonce(edge["node"]) for edge in page["edges"]]
            goes_on = page["page_info"]["has_next_page"]
            last = seen[-1] if cursor == "from-nonce" else page["edges"][-1]["cursor"]
            query, pages = f"&{cursor}={last}", pages + 1
        assert (seen, pages) == ([0, 1, 2, 3, 4, 5], 2)


@given(
    st.sampled_from(["", "/latest"]),
    st.dictionaries(
        st.sampled_from(["process-id", "from", "to", "from-nonce", "to-nonce", "limit", "assign"]),
        st.one_of(st.integers().map(str), st.text(max_size=50), st.just(NOBODY)),
    ),
    st.sampled_from(["GET", "POST"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_query_is_more_than_the_client_s_fault(
    kept: Kept, behind: str, query: dict[str, str], method: str
) -> None:
    """Whatever stands in the address, the answer is a page, a slot or a refusal."""
    address = f"/{kept.process}{behind}?{urlencode(query)}"
    for where in (address, f"/?{urlencode(query)}"):
        assert kept.request(method, where).status_code < 500
