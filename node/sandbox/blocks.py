"""A chain of made-up blocks that grows with the clock."""

from __future__ import annotations

import hashlib
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

BLOCK_SECONDS = 120
"""Between two blocks, about as on Arweave."""


class Blocks:
    """Tell the newest block. The same clock always gives the same block."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Grow with `clock`, seconds since 1970."""
        self._clock = clock

    def current(self) -> dict[str, Any]:
        """Return the newest block as a gateway's ``/block/current`` does."""
        number = int(self._clock()) // BLOCK_SECONDS
        return {
            "height": number,
            "timestamp": number * BLOCK_SECONDS,
            "indep_hash": _name(number),
            "previous_block": _name(number - 1),
        }


def _name(number: int) -> str:
    # 48 bytes, as Arweave's.
    return urlsafe_b64encode(hashlib.sha384(b"block %d" % number).digest()).decode("ascii")
