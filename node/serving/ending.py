"""What ends a node of several programs: its operator, or programs that cannot be kept running."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from types import FrameType, TracebackType
from typing import Self

from actors.shards.endings import HURRIED_EXIT
from protocol.errors import SchedulerError

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Told(BaseException):
    """The first signal: end in good order, from wherever this program is."""


class Ending:
    """Take over the signals that end a program, for the main thread of one.

    The first one raises `Told` there, unless what it would end is ending already. A second one
    gives up whatever is left, and ends this program at once.
    """

    def __init__(self) -> None:
        self._failures: SimpleQueue[SchedulerError] = SimpleQueue()
        self._hurries: list[Callable[[], None]] = []
        self._before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        self._begun = False

    def hurried_by(self, give_up: Callable[[], None]) -> None:
        """Call `give_up` when a second signal comes; the last one given first."""
        self._hurries.append(give_up)

    def fail(self, reason: SchedulerError) -> None:
        """End with an error. Safe to call from any thread."""
        self._failures.put(reason)

    def wait(self) -> None:
        """Wait for the end.

        Raises:
            SchedulerError: what was given to `fail`.
            Told: a signal came.
        """
        raise self._failures.get()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        for number, handler in self._before.items():
            with suppress(TypeError):  # it was not set from Python
                signal.signal(number, handler)
        return kind is Told

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._begun:
            for give_up in reversed(self._hurries):
                give_up()
            raise SystemExit(HURRIED_EXIT)
        self._begun = True
        raise Told
