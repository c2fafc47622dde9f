"""What stands in for the world outside: a bundler that counts, a signer that does not sign."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import count

from actors.uploader import Outcome, Upload
from protocol.wallet import OWNER_BYTES, Wallet


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

    Attributes:
        trusted: nobody verifies what cannot be verified.
    """

    trusted = True

    def __init__(self) -> None:
        self._numbers = count()

    def sign(self, wallet: Wallet, data: bytes, scheme: str) -> bytes:
        """Return the next number, as long as a signature is."""
        return next(self._numbers).to_bytes(OWNER_BYTES, "big")
