"""A node under load: what is posted to it, and what its answers promise."""

from __future__ import annotations

from collections.abc import Sequence

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
        """Schedule items, and keep what the answers promise."""
        path = f"/{self.process}/schedule"
        headers = {**ITEM, "confirmation": SHORT[mode.value]}
        requests = [(path, item) for item in items]
        http2 = version == HTTP2
        load = self._run(Order(self.url, connections, http2, seconds, "POST", headers, requests))
        for number, slot in load.slots:
            message = verify(items[number], check_signatures=False)
            self.promised.append(Promise(message.process, slot, message.message_id))
        return load

    def get(self, path: str, connections: int, seconds: float) -> Load:
        """Read one path again and again."""
        return self._run(Order(self.url, connections, False, seconds, "GET", {}, [(path, b"")]))

    def _run(self, order: Order) -> Load:
        return run(order, self._node.cpu_seconds if self._node else None)
