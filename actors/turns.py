"""Whose turn it is: messages that wait until the slot before theirs is stored."""

from __future__ import annotations

from collections import deque

from actors.messages import Submit
from actors.sequencer import Sequencer
from protocol.message import Verified

SWEEP_FROM = 8
"""How many wait before it is worth looking for those that have expired: each may be 10 MiB."""


class Turns:
    """Messages of a process with a serial chain rule, in the order in which they came.

    They are not claimed, so each may still expire, and then gives back its room in the queue.
    What has expired is dropped before it outnumbers the rest: memory stays bounded by the
    queue's limits even while nothing is stored for longer than the deadlines.
    """

    def __init__(self, sequencer: Sequencer) -> None:
        """Start empty, before the slots that `sequencer` gives."""
        self._sequencer = sequencer
        self._line: deque[Submit] = deque()
        self._sweep_at = SWEEP_FROM

    def __len__(self) -> int:
        return len(self._line)

    def must_wait(self, message: Verified) -> bool:
        """Tell whether `message` gets a slot only after others are stored.

        Behind those whose turn has come and who are still to hear of it, too. A message that
        has its slot waits for nobody.

        Raises:
            WrongTarget, Duplicate: it gets none.
        """
        sequencer = self._sequencer
        if not sequencer.serial or not (self._line or sequencer.outstanding):
            return False
        return sequencer.find(message) is None

    def add(self, submit: Submit) -> None:
        """Let one more wait, behind the others."""
        self._line.append(submit)
        if len(self._line) >= self._sweep_at:
            self._line = deque(each for each in self._line if not each.ticket.done)
            self._sweep_at = max(SWEEP_FROM, 2 * len(self._line))

    def take(self) -> Submit | None:
        """Return who waited longest and has not expired; None while nobody has a turn."""
        return None if self._sequencer.outstanding else self.drop()

    def drop(self) -> Submit | None:
        """Return who waited longest and has not expired, whether it is their turn or not."""
        while self._line:
            submit = self._line.popleft()
            if not submit.ticket.done:
                return submit
        return None
