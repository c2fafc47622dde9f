"""Whole nodes as programs of their own, and clients that keep them busy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from actors import Scheduler, SchedulingMode
from node.demonstration import message_item, process_item
from protocol.ids import Id
from protocol.message import Message
from protocol.wallet import Wallet
from tests.node.serving.living import PATIENCE_SECONDS
from tests.storage.programs import ROOT

ANS104 = {"content-type": "application/ans104", "codec-device": "ans104@1.0"}
SETTINGS = {
    "AO_SCHEDULER_LIMITS_RATE_PER_ADDRESS": "0",
    "AO_SCHEDULER_LIMITS_RATE_PER_SIGNER": "0",
    "AO_SCHEDULER_LIMITS_HEADER_SECONDS": "60",
    "AO_SCHEDULER_STORE_SHARDS": "0",
}
"""One address and one signer send the whole load, and connections wait for their turn; one program
starts sooner than three."""


class NodeProgram:
    """`ao-scheduler serve` on a store, with a wallet that is created when there is none.

    Attributes:
        url: where it listens.
        pid: of the program that was started.
    """

    def __init__(self, data: Path, wallet: Path, *arguments: str, **settings: str) -> None:
        shared = ["--data", str(data), "--wallet", str(wallet)]
        self._program = subprocess.Popen(
            [sys.executable, "-m", "node.cli", "serve", "--port", "0", *shared, *arguments],
            cwd=ROOT,
            env=os.environ | SETTINGS | settings,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._program.pid
        self.url = self._program.stdout.readline().rpartition(" ")[2].strip()

    def client(self) -> httpx.Client:
        """Return a client that keeps its connection."""
        return httpx.Client(base_url=self.url, timeout=PATIENCE_SECONDS, trust_env=False)

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; return the exit code once the program has ended."""
        self._program.send_signal(by)
        return self.wait()

    def wait(self) -> int:
        """Return the exit code once the program has ended."""
        try:
            return self._program.wait(PATIENCE_SECONDS)
        finally:
            self._program.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        if self._program.poll() is None:
            self._program.kill()
            self.wait()


class Load:
    """Clients that post signed messages for one process, each the next one once it has a reply.

    Attributes:
        acknowledged: message ID -> slot, of every reply.
        refusals: statuses of replies that gave no slot.
    """

    def __init__(self, user: Wallet, scheduler: Id) -> None:
        self._user = user
        self._spawn = process_item(user, scheduler)
        self._lock = threading.Lock()
        self._enough = threading.Condition(self._lock)
        self._made = 0
        self.process = Message.decode(self._spawn).id
        self.acknowledged: dict[Id, int] = {}
        self.refusals: list[int] = []

    def spawn(self, client: httpx.Client) -> None:
        """Begin the process."""
        assert self._post(client, self._spawn)

    def run(self, node: NodeProgram, clients: int = 4) -> Callable[[], None]:
        """Keep a node busy until it hangs up; return what waits for that."""
        threads = [
            threading.Thread(target=self._keep_posting, args=(node,)) for _ in range(clients)
        ]
        for thread in threads:
            thread.start()

        def ended() -> None:
            for thread in threads:
                thread.join(PATIENCE_SECONDS)
                assert not thread.is_alive()

        return ended

    def wait_for(self, count: int) -> None:
        """Wait until so many messages have a slot."""
        with self._enough:
            reached = self._enough.wait_for(lambda: len(self.acknowledged) >= count, 60)
        assert reached

    def _keep_posting(self, node: NodeProgram) -> None:
        with node.client() as client:
            for item in self._items():
                try:
                    self._post(client, item)
                except httpx.TransportError:
                    return

    def _items(self) -> Iterator[bytes]:
        while True:
            with self._lock:
                self._made += 1
                number = self._made
            yield message_item(self._user, self.process, number)

    def _post(self, client: httpx.Client, item: bytes) -> bool:
        reply = client.post("/schedule", content=item, headers=ANS104)
        with self._enough:
            if reply.status_code == 200:
                self.acknowledged[Message.decode(item).id] = int(reply.headers["slot"])
            else:
                self.refusals.append(reply.status_code)
            self._enough.notify_all()
        return reply.status_code == 200

    def lost(self, data: Path) -> list[Id]:
        """Return the acknowledged messages that a store does not hold at their slot.

        The whole store must verify.
        """
        with Scheduler.open(data, mode=SchedulingMode.DISABLED) as scheduler:
            assert scheduler.verify().ok
            return [
                message
                for message, slot in self.acknowledged.items()
                if scheduler.assignment(self.process, slot).message_id != message
            ]


def refusal(data: Path, wallet: Path, *arguments: str) -> str:
    """What a node that does not start says: one line."""
    shared = ["--data", str(data), "--wallet", str(wallet)]
    failed = subprocess.run(
        [sys.executable, "-m", "node.cli", "serve", "--port", "0", *shared, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.count("\n") == 1
    return failed.stderr
