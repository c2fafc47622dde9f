"""The named points of a message's way, where tests may look or kill."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    """A point on the way of a message; each names what has just happened or comes next."""

    SLOT_GIVEN = "slot-given"
    BEFORE_PIN_COMMIT = "before-pin-commit"
    AFTER_PIN_COMMIT = "after-pin-commit"
    AFTER_SIGNING = "after-signing"
    BEFORE_COMMITMENT_COMMIT = "before-commitment-commit"
    AFTER_COMMITMENT_COMMIT = "after-commitment-commit"
    AFTER_UPLOAD = "after-upload"
    BEFORE_RECEIPT_COMMIT = "before-receipt-commit"
    AFTER_RECEIPT_COMMIT = "after-receipt-commit"


Probe = Callable[[Point], None]
"""Called at each point, on the thread that is there."""


def no_probe(_: Point) -> None:
    """Look at nothing."""
