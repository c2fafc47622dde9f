from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import wraps
from typing import Any

import pytest

from node.http.app import application
from node.http.stream.events import HEARTBEAT, OPENING
from node.http.stream.response import EventStream, Patience
from node.http.stream.streams import Streams
from node.node import Node
from protocol.formats import aos2
from protocol.ids import Id
from protocol.location import Location
from protocol.message import Message
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.node.http.service import Service, Services
from tests.node.http.stream.reader import Reader

ENDLESS = Patience(idle=3600, slow=3600)
Test = Callable[..., Coroutine[Any, Any, None]]


def in_a_loop(test: Test) -> Callable[..., None]:
    """Run a test in an event loop of its own."""

    @wraps(test)
    def run(*args: Any, **fixtures: Any) -> None:
        asyncio.run(test(*args, **fixtures))

    return run


class Schedule:
    """A process of a node, and what is needed to listen to it."""

    def __init__(self, node: Node, user: Wallet, scheduler: Wallet) -> None:
        self.node = node
        self._user = user
        spawn = process_item(user, scheduler.address)
        self.process = Message.decode(spawn).id
        node.scheduler.assign(spawn)

    def add(self, *numbers: int) -> None:
        """Have messages stored."""
        for number in numbers:
            self.node.scheduler.assign(message_item(self._user, self.process, number))

    def reader(self, query: str = "", **headers: str) -> Reader:
        """Listen through the whole application."""
        return Reader(application(self.node), f"/{self.process}/schedule{query}", **headers)

    def stream(self, patience: Patience = ENDLESS) -> EventStream:
        """The stream alone, from slot 0 on."""
        node = self.node
        return EventStream(node.scheduler, node.streams, self.process, 0, patience)

    def node_of(self, slot: int) -> dict[str, Any]:
        """What the event of a slot holds."""
        return aos2.node(self.node.scheduler.entry(self.process, slot))

    def deserted(self) -> bool:
        """Whether nobody is listening any more."""
        return not self.node.streams and not self.node.scheduler.load().followers


@pytest.fixture
def schedule(service: Service, user_wallet: Wallet, wallet: Wallet) -> Schedule:
    """A process with two slots."""
    schedule = Schedule(service.node, user_wallet, wallet)
    schedule.add(1)
    return schedule


@in_a_loop
async def test_stored_slots_come_first_and_new_ones_as_they_are_stored(schedule: Schedule) -> None:
    """Each event has its slot as ID and the slot's aos-2 node as data, in order, none twice."""
    async with schedule.reader() as reader:
        assert await reader.event() == (0, schedule.node_of(0))
        assert await reader.event() == (1, schedule.node_of(1))
        for number in range(2, 6):
            await asyncio.to_thread(schedule.add, number)
            assert await reader.event() == (number, schedule.node_of(number))
        assert reader.headers["content-type"] == "text/event-stream"
        assert reader.headers["cache-control"] == "no-store"


@in_a_loop
async def test_many_readers_hear_the_same(schedule: Schedule) -> None:
    """Whoever listens gets every slot, and more slots than are read at once."""
    await asyncio.to_thread(schedule.add, *range(2, 70))
    async with schedule.reader() as first, schedule.reader() as second:
        for slot in range(70):
            assert await first.event() == await second.event() == (slot, schedule.node_of(slot))


STARTS = [
    ("", {}, 0),
    ("?from=2", {}, 2),
    ("?from=-5", {}, 0),
    ("?from=1", {"last_event_id": "2"}, 3),
    ("", {"last_event_id": "0"}, 1),
    ("?from=3", {"last_event_id": ""}, 3),
    ("?from=3", {"last_event_id": "garbage"}, 3),
]


@pytest.mark.parametrize(("query", "headers", "first"), STARTS)
def test_a_reader_goes_on_where_it_was(
    schedule: Schedule, query: str, headers: dict[str, str], first: int
) -> None:
    """`Last-Event-ID` is the last slot it has; without one, `from` is the first it wants."""
    schedule.add(2, 3)

    async def listen() -> int:
        async with schedule.reader(query, **headers) as reader:
            return (await reader.event())[0]

    assert asyncio.run(listen()) == first


@in_a_loop
async def test_a_slot_that_is_not_stored_yet_is_waited_for(schedule: Schedule) -> None:
    """Who asks from a later slot on hears nothing before it."""
    async with schedule.reader("?from=3") as reader:
        assert await reader.chunk() == OPENING
        await asyncio.to_thread(schedule.add, 2, 3)
        assert (await reader.event())[0] == 3


@in_a_loop
async def test_an_idle_stream_has_a_heartbeat(schedule: Schedule) -> None:
    """Without news, comments show that the stream is alive; slots still follow."""
    async with Reader(schedule.stream(Patience(idle=0.01, slow=3600))) as reader:
        assert [(await reader.event())[0] for _ in range(2)] == [0, 1]
        assert await reader.chunk() == await reader.chunk() == HEARTBEAT
        await asyncio.to_thread(schedule.add, 2)
        assert (await reader.event())[0] == 2


@pytest.mark.guarantee("L2")
@in_a_loop
async def test_a_slow_reader_is_cut(schedule: Schedule) -> None:
    """One that takes nothing for too long loses its stream, without a proper end."""
    async with Reader(schedule.stream(Patience(idle=3600, slow=0.01))) as reader:
        await reader.event()
        reader.stop_reading()
        await asyncio.to_thread(schedule.add, 2)
        await reader.ended()
        assert not reader.finished
    assert schedule.deserted()


@in_a_loop
async def test_a_reader_that_leaves_is_forgotten(schedule: Schedule) -> None:
    """Nothing of it stays behind, neither in the scheduler nor in the node."""
    async with schedule.reader() as reader:
        await reader.event()
        assert len(schedule.node.streams) == 1
        reader.leave()
        await reader.ended()
    assert schedule.deserted()


@in_a_loop
async def test_streams_end_with_the_node(schedule: Schedule) -> None:
    """At shutdown, open streams end properly, and no new one stays open."""
    async with schedule.reader() as reader:
        await reader.event()
        schedule.node.streams.end()
        await reader.ended()
        assert reader.finished
    async with schedule.reader() as late:
        await late.ended()
        assert (late.status, late.finished) == (200, True)
    assert schedule.deserted()


@in_a_loop
async def test_a_stream_breaks_off_when_the_store_closes(schedule: Schedule) -> None:
    """Nothing is said to be the end that is none: the reader shall come back."""
    async with Reader(schedule.stream(Patience(idle=0.01, slow=3600))) as reader:
        assert [(await reader.event())[0] for _ in range(2)] == [0, 1]
        await asyncio.to_thread(schedule.node.scheduler.close)
        await reader.ended()
        assert not reader.finished


@in_a_loop
async def test_an_unknown_process_is_refused(service: Service) -> None:
    """It gets the problem that any other reader gets."""
    async with Reader(application(service.node), f"/{Id(bytes(32))}/schedule") as reader:
        await reader.ended()
    assert (reader.status, reader.headers["content-type"]) == (404, "application/problem+json")


@in_a_loop
async def test_a_process_elsewhere_is_listened_to_there(
    service: Service, user_wallet: Wallet
) -> None:
    """The reader is sent to the scheduler of the process."""
    other = Wallet.generate()
    place = Location.sign(other, "https://other.example", 1)
    service.node.locations.take(Message.decode(place.encoded))
    spawn = process_item(user_wallet, other.address)
    # The node has to see the process once to know whom it names.
    assert (await asyncio.to_thread(service.post, "/push", spawn)).status_code == 307
    address = f"/{Message.decode(spawn).id}/schedule"
    async with Reader(application(service.node), address) as reader:
        await reader.ended()
    assert reader.status == 307
    assert reader.headers["location"] == "https://other.example" + address


@in_a_loop
async def test_a_node_that_does_not_schedule_has_no_streams(
    services: Services, schedule: Schedule
) -> None:
    """Nothing is ever stored there, so the refusal comes before any response."""
    schedule.node.scheduler.close()
    store = schedule.node.config.store.data
    service = services.start(store={"data": store}, scheduling={"mode": "disabled"})
    async with Reader(application(service.node), f"/{schedule.process}/schedule") as reader:
        await reader.ended()
    assert (reader.status, reader.headers["content-type"]) == (503, "application/problem+json")


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/aos-2"])
def test_only_who_accepts_events_gets_them(
    service: Service, schedule: Schedule, accept: str
) -> None:
    """Everybody else gets a page, which ends."""
    page = service.get(f"/{schedule.process}/schedule", accept=accept)
    assert page.status_code == 200
    assert page.headers.get("content-type") != "text/event-stream"


def test_the_head_of_a_stream_ends(service: Service, schedule: Schedule) -> None:
    """It is the head of the page."""
    address, accept = f"/{schedule.process}/schedule", {"accept": "text/event-stream"}
    assert service.request("HEAD", address, headers=accept).status_code == 200


@pytest.mark.guarantee("L2")
@in_a_loop
async def test_readers_that_are_too_many_come_back_later(schedule: Schedule) -> None:
    """They are told so, and the others go on; nothing is left behind of them."""
    schedule.node = replace(schedule.node, streams=Streams(1))
    async with schedule.reader() as first:
        assert await first.chunk() == OPENING
        async with schedule.reader() as second:
            await second.ended()
        assert (second.status, first.status) == (503, 200)
        assert schedule.node.scheduler.load().followers == 1
    assert schedule.deserted()
