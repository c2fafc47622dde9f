"""What a shard says about itself, as values that travel over the channel, and back."""

from __future__ import annotations

from dataclasses import astuple
from itertools import islice
from typing import Any

from actors.load import Load
from actors.status import ShardStatus
from protocol.ids import Id

MAX_STUCK = 500
"""Processes that a status names as stuck. All that it says fits into one letter so, whatever
the bundler refuses: without an answer a shard counts as recovering."""

MAX_REASON = 200
"""Characters of what the bundler said of each."""

MAX_UNFIT = 10_000
"""Processes that a status names as unfit."""


def packed_load(load: Load) -> tuple[int, ...]:
    """Return a load as plain values."""
    return astuple(load)


def load_of(value: Any) -> Load:
    """Read what `packed_load` gave."""
    return Load(*value)


def sum_of(loads: list[Load]) -> Load:
    """Add loads up, number by number."""
    return Load(*map(sum, zip(*map(astuple, loads), strict=True)))


def packed_status(status: ShardStatus) -> dict[str, Any]:
    """Return a shard's status as plain values, by name; of very many processes only the first."""
    stuck = islice(status.stuck.items(), MAX_STUCK)
    return {
        **{name: getattr(status, name) for name in status.__dataclass_fields__},
        "stuck": {process: (slot, why[:MAX_REASON]) for process, (slot, why) in stuck},
        "unfit": dict(islice(status.unfit.items(), MAX_UNFIT)),
    }


def status_of(value: Any) -> ShardStatus:
    """Read what `packed_status` gave."""
    return ShardStatus(
        **{
            **value,
            "addresses": tuple(Id(address) for address in value["addresses"]),
            "stuck": {Id(key): (slot, why) for key, (slot, why) in value["stuck"].items()},
            "unfit": {Id(key): code for key, code in value["unfit"].items()},
        }
    )
