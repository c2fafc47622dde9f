"""What the sandbox was told to do wrong, and for how long."""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from protocol.errors import InvalidInput


class Kind(StrEnum):
    """One way to go wrong."""

    FAIL = "fail"  # answer with an error status
    DELAY = "delay"  # answer late
    DROP = "drop"  # close the connection without an answer
    FORGET = "forget"  # acknowledge an item and not keep it
    LIE = "lie"  # answer something plausible that is not true


class Fault(BaseModel, frozen=True, extra="forbid", strict=True):
    """What to do wrong, and how often."""

    kind: Annotated[Kind, Field(strict=False)]
    """In which way."""

    route: Literal["", "tx", "block", "graphql", "raw", "info"] = ""
    """Where; "" is everywhere."""

    times: int | None = Field(None, ge=1)
    """How often; None is until healed."""

    status: int = Field(500, ge=400, le=599)
    """What `FAIL` answers."""

    seconds: float | None = Field(None, ge=0, allow_inf_nan=False)
    """How late `DELAY` answers; None is not before it is healed."""

    applied: bool = False
    """Whether `FAIL` and `DROP` do what they were asked for all the same."""

    @classmethod
    def read(cls, told: Any) -> Fault:
        """Read one: ``{"kind": "fail", "route": "tx", "times": 3}``.

        Raises:
            InvalidInput: it is none; the detail says why.
        """
        try:
            return cls.model_validate(told)
        except ValidationError as exc:
            first = exc.errors()[0]
            place = ".".join(map(str, first["loc"])) or "it"
            raise InvalidInput(f"that is no fault: {place}: {first['msg']}") from None


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
    left = fault.times - 1
    return [fault.model_copy(update={"times": left})] if left else []
