"""One thing to look at, and what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from protocol.errors import SchedulerError


class NotWell(Exception):
    """What is wrong, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at; `look` returns what it found, or raises what is wrong."""

    name: str
    look: Callable[[], str]

    def outcome(self) -> tuple[bool, str]:
        """Look, and say whether it is well and what was found."""
        try:
            return True, self.look()
        except NotWell as exc:
            return False, str(exc)
        except SchedulerError as exc:
            return False, exc.detail
        except OSError as exc:
            return False, f"{exc.filename}: {exc.strerror}" if exc.filename else str(exc)
