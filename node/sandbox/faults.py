"""What the sandbox was told to do wrong, and for how long."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from protocol.errors import InvalidInput

ROUTES = ("tx", "block", "graphql", "raw", "info")


class Kind(StrEnum):
    """One way to go wrong."""

    FAIL = "fail"  # answer with an error status
    DELAY = "delay"  # answer late
    DROP = "drop"  # close the connection without an answer
    FORGET = "forget"  # acknowledge an item and not keep it
    LIE = "lie"  # answer something plausible that is not true


@dataclass(frozen=True, slots=True)
class Fault:
    """What to do wrong.

    Attributes:
        kind: in which way.
        route: one of `ROUTES`, or "" for all of them.
        times: how often, or None for until healed.
        status: what `FAIL` answers.
        seconds: how late `DELAY` answers, or None for not before it is healed.
        applied: whether `FAIL` and `DROP` do what they were asked for all the same.
    """

    kind: Kind
    route: str = ""
    times: int | None = None
    status: int = 500
    seconds: float | None = None
    applied: bool = False

    @classmethod
    def read(cls, told: Any) -> Fault:
        """Read one from JSON: ``{"kind": "fail", "route": "tx", "times": 3}``.

        Raises:
            InvalidInput: it is none.
        """
        try:
            fault = cls(**{**told, "kind": Kind(told["kind"])})
        except (TypeError, KeyError, ValueError):
            kinds = ", ".join(Kind)
            raise InvalidInput(f"a fault has a kind ({kinds}) and options") from None
        if fault.route and fault.route not in ROUTES:
            raise InvalidInput(f"a route is one of {', '.join(ROUTES)}")
        return fault


class Faults:
    """The faults that are still to come, oldest first. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        # Both guarded by the condition.
        self._told: list[Fault] = []
        self._healed = 0

    def tell(self, fault: Fault) -> None:
        """Do wrong from now on."""
        with self._changed:
            self._told.append(fault)

    def heal(self) -> None:
        """Do nothing wrong any more, and let go whoever is being delayed."""
        with self._changed:
            self._told.clear()
            self._healed += 1
            self._changed.notify_all()

    def told(self) -> list[Fault]:
        """Return what is still to come."""
        with self._changed:
            return list(self._told)

    def take(self, route: str) -> Fault | None:
        """Return what to do wrong with one request, and count it."""
        with self._changed:
            for place, fault in enumerate(self._told):
                if fault.route in ("", route):
                    self._told[place : place + 1] = _left(fault)
                    return fault
        return None

    def delay(self, seconds: float | None) -> None:
        """Wait so long, but not beyond the next healing."""
        with self._changed:
            before = self._healed
            self._changed.wait_for(lambda: self._healed != before, seconds)


def _left(fault: Fault) -> list[Fault]:
    # What is still to come of a fault after one time.
    if fault.times is None:
        return [fault]
    return [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
