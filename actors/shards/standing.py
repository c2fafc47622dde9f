"""Where one program of a node stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["starting", "ready", "recovering", "stopped"]


@dataclass(frozen=True, slots=True)
class ProgramStanding:
    """Where one program stands, as its supervisor sees it.

    Attributes:
        name: as people know it, such as "shard 0".
        number: which one of its kind it is.
        state: `starting` for the first time, `ready`, `recovering` (ended, or starting again),
            or `stopped`.
        pid: of the program, or None while there is none.
        generation: how often it was started.
        restarts: how often it was started again, for whatever reason.
        reason: how its last life ended, or None.
    """

    name: str
    number: int
    state: State
    pid: int | None
    generation: int
    restarts: int
    reason: str | None
