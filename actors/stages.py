"""What an answer promises, and which promise a caller waits for."""

from __future__ import annotations

from enum import Enum, IntEnum


class Stage(IntEnum):
    """What an answer promises. Each stage includes the ones before it."""

    ASSIGNED = 1
    """Pinned: this slot can never hold another message."""

    STORED = 2
    """These exact bytes survive power loss here."""

    PUBLISHED = 3
    """The bundler acknowledged these exact bytes."""


class SchedulingMode(Enum):
    """Which stage `Scheduler.assign` waits for, and whether it schedules at all."""

    AGGRESSIVE = "aggressive"
    LOCAL_CONFIRMATION = "local_confirmation"
    REMOTE_CONFIRMATION = "remote_confirmation"
    DISABLED = "disabled"

    @property
    def stage(self) -> Stage:
        """The stage that confirms; DISABLED has none, its reads are of stored slots."""
        return _STAGES.get(self, Stage.STORED)


_STAGES = {
    SchedulingMode.AGGRESSIVE: Stage.ASSIGNED,
    SchedulingMode.REMOTE_CONFIRMATION: Stage.PUBLISHED,
}


class Duplicates(Enum):
    """What happens when a message comes again for the process that already holds it."""

    SAME = "same"
    """It gets its slot again, the same answer however often it is sent."""

    ALLOW = "allow"
    """It gets a new slot each time, as HyperBEAM does; then asking again may assign twice."""

    REJECT = "reject"
    """It is refused, as the legacy scheduler unit does."""
