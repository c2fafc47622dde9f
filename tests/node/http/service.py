"""A node, and an HTTP client that speaks to its application directly."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from starlette.types import ASGIApp

from node.config import Config
from node.http.app import application
from node.node import Node
from node.running import open_node
from protocol.wallet import Wallet


class Service:
    """One node, and requests to it.

    Attributes:
        node: what answers.
    """

    def __init__(self, node: Node, app: ASGIApp | None = None, *, raises: bool = True) -> None:
        """Take an open node, and its application if that is not just what it usually is.

        With `raises`, what the application raises ends the test.
        """
        self.node = node
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(app or application(node), raise_app_exceptions=raises)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://node", timeout=30)

    def request(self, method: str, address: str, **options: Any) -> httpx.Response:
        """Send one request and return its reply."""
        return self._runner.run(self._http.request(method, address, **options))

    def get(self, address: str, **headers: str) -> httpx.Response:
        """Send a GET; ``_`` in the headers' names is ``-``."""
        return self.request("GET", address, headers=_named(headers))

    def post(self, address: str, item: bytes = b"", **headers: str) -> httpx.Response:
        """Post an ANS-104 item, as aoconnect does; ``_`` in the headers' names is ``-``."""
        usual = {"content-type": "application/ans104", "codec-device": "ans104@1.0"}
        return self.request("POST", address, content=item, headers=usual | _named(headers))

    def at_once(self, *requests: tuple[str, str, dict[str, Any]]) -> list[httpx.Response]:
        """Send requests (method, address, options) at the same time."""

        async def all_of_them() -> list[httpx.Response]:
            sent = (self._http.request(how, where, **what) for how, where, what in requests)
            return list(await asyncio.gather(*sent))

        return self._runner.run(all_of_them())

    def close(self) -> None:
        """Close the client."""
        self._runner.run(self._http.aclose())
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Services:
    """Start nodes in folders of their own; a context manager that ends them."""

    def __init__(self, folder: Path, wallets: Sequence[Wallet]) -> None:
        """Take the wallets that nodes have unless they are given others."""
        self._folder = folder
        self._wallets = tuple(wallets)
        self._stack = ExitStack()
        self._started = 0

    def start(self, *wallets: Wallet, **sections: dict[str, Any]) -> Service:
        """Open a node with these settings and return it."""
        root = self._folder / f"node-{self._started}"
        self._started += 1
        files = [root / f"wallet-{number}.json" for number in range(len(wallets or self._wallets))]
        root.mkdir()
        for wallet, file in zip(wallets or self._wallets, files, strict=True):
            wallet.save(file)
        store = {"data": root / "data", "wallets": files} | sections.pop("store", {})
        node = self._stack.enter_context(open_node(Config(store=store, **sections)))
        return self._stack.enter_context(Service(node))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(exc_type, exc, traceback)


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
