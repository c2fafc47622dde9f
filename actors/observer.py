"""What can be measured while it happens: one hook for all of it."""

from __future__ import annotations

from typing import Any

from actors.events import log
from actors.stages import Stage


class Observer:
    """Be told what a scheduler does. Override what is of interest.

    Called on the threads that do the work, several at once: a method returns at once. What it
    raises is logged and changes nothing.
    """

    def reached(self, stage: Stage, seconds: float) -> None:
        """A slot reached a stage, so long after it was given.

        PUBLISHED is told when the bundler acknowledged the slot, and again if that could not be
        written down.
        """

    def refused(self, code: str) -> None:
        """A request ended without a slot, or without knowing of one, for the reason `code`."""

    def signed(self, seconds: float) -> None:
        """A signature over an assignment was made."""

    def committed(self, records: int, seconds: float) -> None:
        """A transaction with so many entries became durable."""

    def uploaded(self, items: int, acknowledged: int, seconds: float) -> None:
        """The uploader answered an offer of so many items."""


NOBODY = Observer()


class Guarded(Observer):
    """Pass everything on to an observer, and survive it."""

    def __init__(self, observer: Observer) -> None:
        """Take whoever is to be told."""
        self._observer = observer

    def reached(self, stage: Stage, seconds: float) -> None:
        """Pass it on."""
        self._pass("reached", stage, seconds)

    def refused(self, code: str) -> None:
        """Pass it on."""
        self._pass("refused", code)

    def signed(self, seconds: float) -> None:
        """Pass it on."""
        self._pass("signed", seconds)

    def committed(self, records: int, seconds: float) -> None:
        """Pass it on."""
        self._pass("committed", records, seconds)

    def uploaded(self, items: int, acknowledged: int, seconds: float) -> None:
        """Pass it on."""
        self._pass("uploaded", items, acknowledged, seconds)

    def _pass(self, name: str, *values: Any) -> None:
        try:
            getattr(self._observer, name)(*values)
        except Exception:
            log.exception("observer_broken", step=name)


def guarded(observer: Observer) -> Observer:
    """Return `observer` so that nothing it raises matters."""
    return observer if observer is NOBODY else Guarded(observer)
