from __future__ import annotations

import asyncio
import threading

import pytest
from starlette.types import Receive, Scope, Send

from node.config import Config
from node.http.app import application
from node.http.stream.response import EventStream, Patience
from protocol.ids import Id
from protocol.wallet import Wallet
from tests.items import message_item
from tests.node.http.service import Service
from tests.node.serving.living import PATIENCE_SECONDS, Living

CONFIG = Config(server={"port": 0, "graceful_seconds": 5})
ASK = b"GET /%b/schedule HTTP/1.1\r\nhost: node\r\naccept: text/event-stream\r\n\r\n"
END = b"\r\n0\r\n\r\n"


@pytest.fixture
def big(service: Service, user_wallet: Wallet, process: Id) -> Id:
    """A process with more to send than any buffer on the way holds."""
    for number in range(32):
        item = message_item(user_wallet, process, number, data="x" * (1 << 20))
        service.node.scheduler.assign(item)
    return process


def test_events_pass_a_real_server(service: Service, user_wallet: Wallet, process: Id) -> None:
    """They arrive one by one while the response goes on, and the end is a proper one."""
    node, app, loops = service.node, application(service.node), []

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        loops.append(asyncio.get_running_loop())
        await app(scope, receive, send)

    with Living(CONFIG, served) as living, living.connect() as connection:
        connection.send(ASK % process.ascii)
        assert b" 200 " in connection.until(b"\r\n")
        assert connection.until(b"id: 0\n").endswith(b"id: 0\n")
        node.scheduler.assign(message_item(user_wallet, process))
        assert connection.until(b"id: 1\n").endswith(b"id: 1\n")
        loops[-1].call_soon_threadsafe(node.streams.end)
        assert connection.until(END).endswith(END)


def test_a_reader_that_does_not_read_is_cut(service: Service, big: Id) -> None:
    """Its response never gets a proper end, and its connection is closed."""
    node, returned = service.node, threading.Event()
    stream = EventStream(node.scheduler, node.streams, big, 0, Patience(idle=3600, slow=0.1))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await stream(scope, receive, send)
            returned.set()

    with Living(CONFIG, app) as living, living.connect() as connection:
        connection.send(ASK % big.ascii)
        assert returned.wait(PATIENCE_SECONDS)
        assert node.scheduler.load().followers == 0
        sent = connection.rest()
        assert sent.count(b"\nid: ") < 32
        assert not sent.endswith(END)
