"""What a scheduler is given from outside, doing as a test tells it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from actors.probe import Point
from actors.uploader import Outcome, Upload
from protocol.errors import OutcomeUnknown, UploadFailed
from protocol.wallet import Wallet
from tests.actors.cheap import noise

PATIENCE = 30.0
"""Seconds after which a test gives up; no test that passes waits for it."""


class Gate:
    """Hold up whoever comes, until it is opened."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._arrived = threading.Event()

    @property
    def is_open(self) -> bool:
        return self._open.is_set()

    def open(self) -> None:
        self._open.set()

    def wait_for_arrival(self) -> None:
        """Wait until somebody stands before the gate, or went through."""
        assert self._arrived.wait(PATIENCE)

    def pass_through(self) -> None:
        self._arrived.set()
        # Longer than any test, which is to fail for its own reason first.
        assert self._open.wait(4 * PATIENCE)


class GatedSigner:
    """Sign with the wallet, behind a gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def sign(self, wallet: Wallet, data: bytes, scheme: str) -> bytes:
        self._gate.pass_through()
        return wallet.sign(data, scheme)


class NoiseSigner:
    """Give signatures that nobody verifies and that cost nothing."""

    trusted = True

    def sign(self, wallet: Wallet, data: bytes, scheme: str) -> bytes:
        return noise(data.hex())


class WrongSigner:
    """Give signatures that are wrong, or no signatures, and say nothing."""

    def __init__(self, signature: object) -> None:
        self._signature = signature

    def sign(self, wallet: Wallet, data: bytes, scheme: str) -> object:
        return self._signature


class BrokenSigner:
    """Never sign."""

    def sign(self, wallet: Wallet, data: bytes, scheme: str) -> bytes:
        raise OSError("the key is away")


class Bundler:
    """Acknowledge every item, unless it is told otherwise.

    Attributes:
        gate: whoever uploads passes it.
        refuse: gives the failure for an item, or None to acknowledge it.
        taken: the items that were acknowledged, by ID.
        offers: how many items each call brought.
    """

    def __init__(self, gate: Gate | None = None) -> None:
        self.gate = gate
        self.offers: list[int] = []
        self.refuse: Callable[[Upload], Outcome | None] = lambda _: None
        self.taken: dict[bytes, bytes] = {}

    def upload(self, items: Sequence[Upload]) -> list[Outcome]:
        self.offers.append(len(items))
        if self.gate is not None:
            self.gate.pass_through()
        return [self._answer(item) for item in items]

    def _answer(self, item: Upload) -> Outcome:
        refusal = self.refuse(item)
        if refusal is not None:
            return refusal
        self.taken[item.id] = item.item
        return f"got {item.id}"


def gate_at(point: Point, gate: Gate) -> Callable[[Point], None]:
    """Return a probe that holds up whoever comes to `point`."""
    return lambda reached: gate.pass_through() if reached is point else None


def fail_at(point: Point) -> Callable[[Point], None]:
    """Return a probe that fails whoever comes to `point`."""

    def probe(reached: Point) -> None:
        if reached is point:
            raise RuntimeError(f"told to fail {point.value}")

    return probe


def leave_pinned(opened, gate: Gate, item: bytes) -> None:
    """Let a scheduler fail between the pin of a message and its signature."""
    bundler = Bundler()
    bundler.refuse = lambda _: UploadFailed("away")
    scheduler = opened(
        signer=GatedSigner(gate), probe=fail_at(Point.AFTER_PIN_COMMIT), uploader=bundler
    )
    ticket = scheduler.schedule(item)
    with pytest.raises(OutcomeUnknown):
        ticket.assigned.get(timeout=PATIENCE)
    gate.open()
    scheduler.close()
