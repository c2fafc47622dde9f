"""A charge: one program under supervision, through all its lives."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

from actors.events import log
from actors.shards.child import FAILED_EXIT, Child, ChildSpec
from actors.shards.endings import FENCED_EXIT, ending
from actors.shards.restarts import Restarts
from actors.shards.settings import SupervisionSettings
from actors.shards.standing import ProgramStanding, State
from actors.shards.words import Beat, Begun, Ending, Failed, Ready, Word, error_of
from protocol.errors import ProgramsFailed

UNBEGUN = (
    " before it began; its error output says more. A program is started with its parent's main "
    'module, which must be a file whose work stands under `if __name__ == "__main__":`'
)


FORESEEN = (0, FAILED_EXIT, FENCED_EXIT, -signal.SIGKILL, None)
"""How a program ends that said why, or was killed. Any other end is worth a word."""


class Charge:
    """Keep one program running: start it, hear it, kill it when it is silent, start it again.

    Waits for nothing; `attend` is called whenever something happened, and now and then.

    Attributes:
        spec: what it is to do.
        state: where it stands.
        error: what its last life ended with.
        lost: whether it ended more often than it may; it is not started again.
    """

    def __init__(
        self,
        spec: ChildSpec,
        settings: SupervisionSettings,
        start: Callable[[ChildSpec, int, SupervisionSettings], Child] = Child,
    ) -> None:
        self.spec = spec
        self.state: State = "starting"
        self.error: Exception | None = None
        self.lost = False
        self._settings = settings
        self._start = start
        self._restarts = Restarts(settings)
        self._generation = 0
        self._stopping = False
        # The present life, or None; and when the next one is to begin.
        self._child: Child | None = None
        self._due = -math.inf
        # Of the present life: when to kill it, whether it was ready, and why it is about to
        # end, as far as that is known before it has.
        self._patience_ends = math.inf
        self._was_ready = False
        self._killed = False
        self._why: str | None = None
        self._reported: Exception | None = None

    def attend(self, now: float) -> None:
        """Do what is due at `now`, in monotonic seconds."""
        if self._child is None:
            if now >= self._due and not self._stopping and not self.lost:
                self._begin(now)
            return
        # In this order: what it said last is heard before it is buried.
        ended = self._child.ended
        for word in self._child.hear():
            self._take(self._child, word, now)
        if ended:
            self._bury(self._child, now)
        elif now >= self._patience_ends:
            self._kill(self._child)

    def forgive(self, seconds: float) -> None:
        """Give it more time: who watches was away so long, and could hear nothing."""
        self._patience_ends += seconds

    def stop(self, now: float, patience: float) -> None:
        """Ask it to end in good order within `patience` seconds; never start it again.

        Said again, it can only shorten the time.
        """
        if self._child is None:
            self.state = "stopped"
        elif self._killed:
            pass  # it is about to be gone
        elif not self._was_ready:
            # It has accepted nothing that it would have to finish.
            self._child.kill()
        elif self._stopping or self._why is not None:
            self._patience_ends = min(self._patience_ends, now + patience)
        else:
            self._child.ask_to_stop()
            self._why = "was told to stop"
            self._patience_ends = now + patience
        self._stopping = True

    @property
    def verdict(self) -> ProgramsFailed:
        """Why there is no sense in starting it again."""
        limit = self._settings
        return ProgramsFailed(
            f"{self.spec.name} ended {self._generation} times; at most {limit.max_restarts} "
            f"restarts within {limit.restart_window_seconds:g} s are tried; "
            f"the last time: {self.error}"
        )

    @property
    def gone(self) -> bool:
        """Whether no program runs."""
        return self._child is None

    @property
    def standing(self) -> ProgramStanding:
        """Where it stands."""
        return ProgramStanding(
            name=self.spec.name,
            number=self.spec.number,
            state=self.state,
            pid=None if self._child is None else self._child.pid,
            generation=self._generation,
            restarts=self._restarts.total,
            reason=None if self.error is None else str(self.error),
        )

    def signs(self) -> Iterator[Connection | int]:
        """Yield what becomes readable when `attend` has something to do."""
        if self._child is not None:
            yield from self._child.signs()

    def next_look(self) -> float:
        """Return when `attend` has something to do at the latest, in monotonic seconds."""
        if self._child is not None:
            return self._patience_ends
        return math.inf if self._stopping or self.lost else self._due

    def after_fork(self) -> None:
        """Close what a forked child must not hold open."""
        if self._child is not None:
            self._child.after_fork()

    def _begin(self, now: float) -> None:
        self._generation += 1
        self._was_ready, self._killed, self._why, self._reported = False, False, None, None
        self._patience_ends = now + self._settings.start_seconds
        try:
            self._child = self._start(self.spec, self._generation, self._settings)
        except ProgramsFailed as exc:
            self._ended(exc, now)
        except OSError as exc:
            self._ended(ProgramsFailed(f"{self.spec.name} cannot be started: {exc}"), now)

    def _take(self, child: Child, word: Word, now: float) -> None:
        match word:
            case Begun():
                child.give_order()
            case Ready():
                self.state, self._was_ready = "ready", True
                log.step("program_ready", program=self.spec.name, pid=child.pid)
                self._expect_word(now)
            case Beat():
                self._expect_word(now)
            case Ending():
                self._expect_end(word.reason, now)
            case Failed():
                self._reported = error_of(word, self.spec.name)
                self._expect_end(f"failed: {word.reason}", now)

    def _expect_word(self, now: float) -> None:
        # One that is about to end has its time for that, and beats no more.
        if self._why is None:
            self._patience_ends = now + self._settings.silence_seconds

    def _expect_end(self, why: str, now: float) -> None:
        if self._why is None:
            self._why, self.state = why, "recovering"
            self._patience_ends = now + self._settings.stop_seconds

    def _kill(self, child: Child) -> None:
        if self._why is not None:
            self._why += ", took too long to end, and was killed"
        elif self._was_ready:
            self._why = f"was silent for {self._settings.silence_seconds:g} s and was killed"
        else:
            self._why = f"was not ready after {self._settings.start_seconds:g} s and was killed"
        log.warning("program_killed", program=self.spec.name, pid=child.pid, reason=self._why)
        child.kill()
        # However long that takes, there is no successor before it is gone.
        self._killed, self._patience_ends = True, math.inf

    def _bury(self, child: Child, now: float) -> None:
        error = self._reported or ProgramsFailed(f"{self.spec.name} {self._how(child)}")
        child.close()
        self._child = None
        self._ended(error, now)

    def _how(self, child: Child) -> str:
        how = ending(child.exit_code)
        if self._why is not None:
            return self._why if child.exit_code in FORESEEN else f"{self._why}; it {how}"
        if self._was_ready:
            return how
        return f"{how} before it was ready" if child.begun else how + UNBEGUN

    def _ended(self, error: Exception, now: float) -> None:
        self.error = error
        self.state = "stopped"
        if self._stopping:
            return
        wait = self._restarts.wait(now, was_ready=self._was_ready)
        if self._was_ready or self._generation > 1:
            # Else whoever starts it is told, and it is not started again.
            log.warning("program_ended", program=self.spec.name, reason=str(error), restart_in=wait)
        if wait is None:
            self.lost = True
        else:
            self.state, self._due = "recovering", now + wait
