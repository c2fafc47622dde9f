"""What ends a node of several programs: its operator, or programs that cannot be kept running."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from types import FrameType, TracebackType
from typing import Self

from actors.shards.endings import HURRIED_EXIT
from protocol.errors import SchedulerError

SIGNALS = (signal.SIGINT, signal.SIGTERM)

ECHO_SECONDS = 0.1
"""So soon after the first signal another one is the same: `timeout`, for one, sends it to a program
and then to its whole group. Nobody who has lost patience is so quick."""


class Told(BaseException):
    """The first signal: end in good order, from wherever this program is."""


class Ending:
    """Take over the signals that end a program, for the main thread of one.

    The first one raises `Told` there, unless what it would end is ending already. A second one
    gives up whatever is left, and ends this program at once.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take them over until the end of the block; `clock` tells seconds, never going back."""
        self._clock = clock
        self._failures: SimpleQueue[SchedulerError] = SimpleQueue()
        self._hurries: list[Callable[[], None]] = []
        self._before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        self._told_at: float | None = None
        self._failed = False

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
        reason = self._failures.get()
        self._failed = True
        raise reason

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
        now = self._clock()
        if self._told_at is None:
            self._told_at = now
            if not self._failed:
                raise Told
        elif now - self._told_at > ECHO_SECONDS:
            for give_up in reversed(self._hurries):
                give_up()
            raise SystemExit(HURRIED_EXIT)
