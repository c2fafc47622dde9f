"""The newest Arweave block, as far as this node knows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol, Self

from actors.events import log
from protocol.assignment import Block


class BlockClock(Protocol):
    """Know the newest block without ever waiting for the network."""

    def latest(self) -> Block:
        """Return the newest block known now; must not block."""

    def start(self) -> None:
        """Begin to refresh in the background, if there is anything to refresh from."""

    def stop(self) -> None:
        """End the refreshing. Idempotent."""


class OfflineBlockClock:
    """No gateway configured: height 0, time 0, zero hash, as HyperBEAM does offline."""

    def latest(self) -> Block:
        """Return the block that stands for "unknown"."""
        return _UNKNOWN

    def start(self) -> None:
        """There is nothing to refresh."""

    def stop(self) -> None:
        """There is nothing to end."""


class PolledBlockClock:
    """Ask a gateway at an interval, and answer from memory.

    Sent to a spawned program, it asks from there once it is started there.
    """

    def __init__(self, fetch: Callable[[], Block], interval: float = 30.0) -> None:
        """Prepare, without starting.

        Args:
            fetch: asks the gateway once; may raise anything, the last block then stays.
            interval: seconds between two questions.
        """
        self._fetch = fetch
        self._interval = interval
        self._block = _UNKNOWN
        self._stopping: threading.Event | None = None

    def latest(self) -> Block:
        """Return the block of the last answer."""
        return self._block

    def start(self) -> None:
        """Ask from now on, on a thread of its own."""
        self._stopping = threading.Event()
        threading.Thread(
            target=self._run, args=(self._stopping,), name="block-clock", daemon=True
        ).start()

    def stop(self) -> None:
        """Ask no more."""
        if self._stopping is not None:
            self._stopping.set()

    def __reduce__(self) -> tuple[type[Self], tuple[Callable[[], Block], float]]:
        return type(self), (self._fetch, self._interval)

    def _run(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            try:
                self._block = self._fetch()
            except Exception as exc:
                log.warning("block_unknown", error=repr(exc))
            stopping.wait(self._interval)


_UNKNOWN = Block()
