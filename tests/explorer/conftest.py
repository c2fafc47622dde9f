"""A real browser, and a node with a schedule for it to look at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from bench.http_node import ServedNode, served
from protocol.codecs.wire import Wire
from protocol.ids import Id
from protocol.message import Message
from protocol.wallet import Wallet
from tests.items import message_item, process_item

FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class Schedule:
    """One process at a node.

    Attributes:
        node: who schedules it.
        process: its ID.
    """

    def __init__(self, node: ServedNode, process: Id, user: Wallet, codec: str = "ans104") -> None:
        self.node = node
        self.process = process
        self._user = user
        self._codec = codec
        self._numbers = iter(range(1000))

    def send(self, count: int = 1) -> None:
        """Have more messages scheduled."""
        for _ in range(count):
            post(self.node, self._message(next(self._numbers)))

    def _message(self, number: int) -> Message:
        if self._codec == "ans104":
            return Message.decode(message_item(self._user, self.process, number))
        keys = {"type": "Message", "action": "Ping", "target": str(self.process), "data": "hello"}
        return Message.create({**keys, "reference": number}, self._user, self._codec)


def post(node: ServedNode, message: Message) -> None:
    if message.codec == "ans104":
        headers, body = ((b"content-type", b"application/ans104"),), message.encoded
    else:
        wire = Wire.parse(message.encoded)
        headers, body = wire.headers, wire.body
    address = f"{node.url}/~scheduler@1.0/schedule"
    answer = httpx.post(address, content=body, headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text


KINDS = {
    "items": {},
    "httpsig assignments": {"scheduler_commitment_spec": "httpsig@1.0"},
    "httpsig messages": {},
    "base-hashpath": {"scheduler_chain": "base-hashpath"},
    "ao.TN.1": {"Variant": "ao.TN.1"},
}


@pytest.fixture
def schedule(
    request: pytest.FixtureRequest, tmp_path: Path, wallet: Wallet, user_wallet: Wallet
) -> Iterator[Schedule]:
    """A process with five messages, at a node of its own; of another kind when asked."""
    wallet.save(tmp_path / "wallet.json")
    kind = getattr(request, "param", "items")
    codec = "httpsig" if kind == "httpsig messages" else "ans104"
    with served(tmp_path) as node:
        spawning = _process(user_wallet, wallet.address, codec, **KINDS[kind])
        post(node, spawning)
        schedule = Schedule(node, spawning.id, user_wallet, codec)
        schedule.send(5)
        yield schedule


def _process(user: Wallet, scheduler: Id, codec: str, **asked: str) -> Message:
    if codec == "ans104":
        return Message.decode(process_item(user, scheduler, **asked))
    keys = {"type": "Process", "scheduler": str(scheduler), "module": str(scheduler)}
    return Message.create(keys, user, codec)


# Playwright keeps an event loop running in this thread: it has to end before other tests begin.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("PAGE NOT SHOWN: no chromium here, and no right to install it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=FLAGS, chromium_sandbox=False
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in which no error stays unseen."""
    page = browser.new_page(viewport={"width": 1360, "height": 760})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("response", lambda answer: faults.append(answer.url) if not answer.ok else None)
    yield page
    page.close()
    assert faults == []
