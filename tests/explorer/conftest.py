"""A real browser, and a node with a schedule for it to look at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from bench.http_node import ServedNode, served
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

    def __init__(self, node: ServedNode, process: Id, user: Wallet) -> None:
        self.node = node
        self.process = process
        self._user = user
        self._numbers = iter(range(1000))

    def send(self, count: int = 1) -> list[str]:
        """Have more messages scheduled; return their IDs."""
        return [self._post() for _ in range(count)]

    def _post(self) -> str:
        item = message_item(self._user, self.process, next(self._numbers))
        post(self.node, item)
        return str(Message.decode(item).id)


def post(node: ServedNode, item: bytes) -> None:
    headers = {"content-type": "application/ans104"}
    answer = httpx.post(
        f"{node.url}/~scheduler@1.0/schedule", content=item, headers=headers, trust_env=False
    )
    assert answer.status_code == 200, answer.text


@pytest.fixture(params=["ans104@1.0", "httpsig@1.0", "ao.TN.1"])
def schedule(
    request: pytest.FixtureRequest, tmp_path: Path, wallet: Wallet, user_wallet: Wallet
) -> Iterator[Schedule]:
    """A process of each kind with five messages, at a node of its own."""
    wallet.save(tmp_path / "wallet.json")
    asked = {"scheduler_commitment_spec": request.param}
    if request.param == "ao.TN.1":
        asked = {"Variant": request.param}
    item = process_item(user_wallet, wallet.address, **asked)
    with served(tmp_path) as node:
        post(node, item)
        schedule = Schedule(node, Message.decode(item).id, user_wallet)
        schedule.send(5)
        yield schedule


@pytest.fixture(scope="session")
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
