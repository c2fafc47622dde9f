"""What stands in for the world outside: a bundler that counts, a signer that does not sign."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from itertools import count

from actors.uploader import Outcome, Upload
from protocol.wallet import OWNER_BYTES, Wallet

COUNTER_BYTES = 8


class CountingUploader:
    """Acknowledge every item after a delay, as a bundler at that distance would."""

    def __init__(self, delay_seconds: float) -> None:
        self._delay = delay_seconds
        # Appended from several threads, which a list stands without a lock.
        self._sizes: list[int] = []

    @property
    def items(self) -> int:
        """How many items were acknowledged."""
        return sum(self._sizes)

    def upload(self, items: Sequence[Upload]) -> Sequence[Outcome]:
        """Wait as long as the network would take, and acknowledge all."""
        time.sleep(self._delay)
        self._sizes.append(len(items))
        return ["counted"] * len(items)


class NoSigner:
    """Return a number instead of a signature, so that assignment IDs still differ.

    Each program that it is pickled into counts from a start of its own, so what it gave out
    differs everywhere, and shows afterwards how often it was asked.

    Attributes:
        trusted: nobody verifies what cannot be verified.
    """

    trusted = True

    def __init__(self) -> None:
        self._start = os.urandom(OWNER_BYTES - COUNTER_BYTES)
        self._numbers = count()

    def sign(self, wallet: Wallet, data: bytes, scheme: str) -> bytes:
        """Return the next number, as long as a signature is."""
        return self._start + next(self._numbers).to_bytes(COUNTER_BYTES, "big")

    def __reduce__(self) -> tuple[type[NoSigner], tuple[()]]:
        return NoSigner, ()


def times_asked(signatures: Iterable[bytes]) -> int:
    """Return how many signatures were made by those that gave out the last of these."""
    last: dict[bytes, int] = {}
    for signature in signatures:
        start, number = signature[:-COUNTER_BYTES], signature[-COUNTER_BYTES:]
        last[start] = max(int.from_bytes(number, "big"), last.get(start, 0))
    return sum(number + 1 for number in last.values())
