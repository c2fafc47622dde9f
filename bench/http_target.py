"""A node under load: what is posted to it, and what its answers promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import httpx

from actors import SchedulingMode
from bench.accounting import Promise
from bench.http_client import Order
from bench.http_load import Load, run
from bench.http_node import ServedNode
from bench.items import Mail
from protocol.ids import Id
from protocol.message import verify

ITEM = {"content-type": "application/ans104", "codec-device": "ans104@1.0"}
SHORT = {"aggressive": "aggressive", "local_confirmation": "local", "remote_confirmation": "remote"}
AOS2 = {"accept": "application/aos-2"}
HTTP2 = 2


class Target:
    """One process of a node under load.

    Attributes:
        url: of the node.
        promised: what its answers said.
    """

    def __init__(self, url: str, process: Id, mail: Mail[bytes], node: ServedNode | None) -> None:
        """Take the parts.

        Args:
            url: of the node.
            process: who gets the messages.
            mail: writes them.
            node: when it is ours, so that its CPU time can be read.
        """
        self.url = url
        self.promised: list[Promise] = []
        self.process = process
        self._mail = mail
        self._node = node

    def spawn(self, item: bytes) -> None:
        """Start the process, and wait until that is published."""
        self.post([item], 1, 1, 1.0, SchedulingMode.REMOTE_CONFIRMATION)

    def messages(self, number: int) -> Sequence[bytes]:
        """Have new messages signed."""
        return self._mail.messages([self.process], number)

    def post(
        self,
        items: Sequence[bytes],
        connections: int,
        version: int,
        seconds: float,
        mode: SchedulingMode,
    ) -> Load:
        """Schedule items, and keep what the answers promise.

        What a node of ours does later for these items is waited for: its CPU time is theirs.
        """
        requests = [(f"/{self.process}/schedule", item) for item in items]
        headers = {**ITEM, "confirmation": SHORT[mode.value]}
        order = Order(self.url, connections, version == HTTP2, seconds, "POST", headers, requests)
        before = self._cpu()
        load = run(order)
        self._keep(items, load)
        if self._node is not None:
            self._node.settle(self.promised)
        return self._since(before, load)

    def get(self, page: str, connections: int, seconds: float) -> Load:
        """Read something of the process again and again."""
        path = f"/{self.process}/{page}"
        order = Order(self.url, connections, False, seconds, "GET", AOS2, [(path, b"")])
        before = self._cpu()
        return self._since(before, run(order))

    def slots_of(self, page: str) -> int:
        """Count the slots of a page."""
        answer = httpx.get(
            f"{self.url}/{self.process}/{page}", headers=AOS2, timeout=30, trust_env=False
        )
        return len(answer.json()["edges"])

    def _keep(self, items: Sequence[bytes], load: Load) -> None:
        for number, slot in load.slots:
            message = verify(items[number], check_signatures=False)
            self.promised.append(Promise(message.process, slot, message.message_id))

    def _cpu(self) -> float | None:
        return None if self._node is None else self._node.cpu_seconds()

    def _since(self, before: float | None, load: Load) -> Load:
        after = self._cpu()
        return (
            load if before is None or after is None else replace(load, cpu_seconds=after - before)
        )
