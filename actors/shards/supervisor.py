"""The supervisor: keeps programs running, and ends them all when that is hopeless."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import wait

from actors.events import log
from actors.shards.charge import Charge
from actors.shards.child import ChildSpec
from actors.shards.settings import SupervisionSettings
from actors.shards.standing import ProgramStanding
from protocol.errors import Closed, ProgramsFailed, SchedulerError
from storage.forks import give_up_in_children

BURIAL_SECONDS = 10.0
"""How long killed programs may take to be gone before they are left to themselves: only a disk
that answers nothing keeps one so long."""

FAREWELL_SECONDS = 5.0
"""How long `stop` waits for whoever is told of a failure meanwhile."""


class Supervisor:
    """Run programs, and start those that end or fall silent again.

    One thread does everything. It starts the programs itself, so that the system can tell
    them when it ends, and lives as long as they do.
    """

    def __init__(
        self,
        children: Sequence[ChildSpec],
        settings: SupervisionSettings | None = None,
        failed: Callable[[SchedulerError], None] = lambda _: None,
    ) -> None:
        """Prepare, without starting.

        Args:
            children: what to run.
            settings: how.
            failed: told once, on the supervisor's thread, that a program ended more often than
                it may, and that all have been stopped for that.
        """
        self._settings = settings or SupervisionSettings()
        self._charges = [Charge(spec, self._settings) for spec in children]
        self._failed = failed
        self._standings = tuple(charge.standing for charge in self._charges)
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        # Reentrant: a signal's handler may stop what the same thread is starting.
        self._lock = threading.RLock()
        # Set by `stop`: monotonic seconds at which whatever still runs is killed.
        self._stop_by: float | None = None
        self._error: Exception | None = None
        self._looked_up = time.monotonic()
        self._started = threading.Event()
        self._over = threading.Event()
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._waker, False)
        give_up_in_children(self)

    def start(self) -> None:
        """Start every program, and return once all are ready. Otherwise none is left running.

        Raises:
            Exception: what the first one that failed reported, the same error if it can travel.
            ProgramsFailed: one ended, or could not be started, without saying why.
            Closed: `stop` was called.
        """
        with self._lock:
            if self._stop_by is not None:
                raise Closed("the supervisor was stopped")
            # Before multiprocessing's own, which would wait for the programs without end.
            atexit.register(self.stop)
            self._looked_up = time.monotonic()
            self._thread.start()
        try:
            self._started.wait()
        except BaseException:
            self.stop()
            raise
        if self._error is not None:
            self.stop()
            raise self._error

    def stop(self, patience: float | None = None) -> None:
        """Ask all programs to end, kill what is left after a while, and wait. Idempotent.

        Args:
            patience: seconds they may take; None for what the settings say, 0 to kill them at
                once. Called again, it can shorten the time of the first call.
        """
        if patience is None:
            patience = self._settings.stop_seconds
        by = time.monotonic() + patience
        with self._lock:
            self._stop_by = by if self._stop_by is None else min(by, self._stop_by)
            launched = self._thread.ident is not None
            self._wake_up()
        atexit.unregister(self.stop)
        if not launched:
            self._close()
        elif threading.current_thread() is not self._thread:
            self._over.wait()
            self._thread.join(FAREWELL_SECONDS)

    def standings(self) -> tuple[ProgramStanding, ...]:
        """Return where each program stands, in the order they were given in."""
        return self._standings

    @property
    def pids(self) -> tuple[int, ...]:
        """The programs that run."""
        return tuple(each.pid for each in self._standings if each.pid is not None)

    def after_fork(self) -> None:
        """Leave the programs to the parent. See `storage.forks`."""
        self._lock, self._over = threading.RLock(), threading.Event()
        self._stop_by = 0.0
        for charge in self._charges:
            charge.after_fork()
        self._close()

    def __repr__(self) -> str:
        states = " ".join(f"{each.name}:{each.state}" for each in self._standings)
        return f"<Supervisor {states}>"

    def _run(self) -> None:
        try:
            self._error = self._watch()
        except Exception as exc:
            log.exception("supervisor_failed")
            self._error = ProgramsFailed(f"unexpected {exc!r}; this is a bug")
        was_started = self._started.is_set()
        try:
            self._end_all()
        finally:
            self._close()
            self._started.set()
        if was_started and self._error is not None:
            self._tell(self._error)

    def _watch(self) -> Exception | None:
        """Keep them running; return what made that hopeless, or None once told to stop."""
        while self._stop_by is None:
            now = self._look_up()
            self._attend(now)
            if (error := self._hopeless()) is not None:
                return error
            if all(charge.state == "ready" for charge in self._charges):
                self._started.set()
            self._wait(now)
        return None if self._started.is_set() else Closed("stopped while starting")

    def _attend(self, now: float) -> None:
        for charge in self._charges:
            charge.attend(now)
        self._standings = tuple(charge.standing for charge in self._charges)

    def _hopeless(self) -> Exception | None:
        if not self._started.is_set():
            return next((each.error for each in self._charges if each.error is not None), None)
        return next((each.verdict for each in self._charges if each.lost), None)

    def _look_up(self) -> float:
        """Return the time; who was away, as when the whole group was stopped, forgives silence."""
        now, beat = time.monotonic(), self._settings.beat_seconds
        away = now - self._looked_up - beat
        if away > beat:
            for charge in self._charges:
                charge.forgive(away)
        self._looked_up = now
        return now

    def _wait(self, now: float) -> None:
        looks = [charge.next_look() for charge in self._charges]
        due = min([now + self._settings.beat_seconds, *looks])
        signs = [sign for charge in self._charges for sign in charge.signs()]
        wait([self._wake, *signs], max(0.0, due - time.monotonic()))
        with suppress(BlockingIOError):
            os.read(self._wake, 64)

    def _end_all(self) -> None:
        with self._lock:
            if self._stop_by is None:
                self._stop_by = time.monotonic() + self._settings.stop_seconds
        while True:
            now = self._look_up()
            self._attend(now)
            for charge in self._charges:
                charge.stop(now, max(0.0, self._stop_by - now))
            if all(charge.gone for charge in self._charges):
                break
            if now > self._stop_by + BURIAL_SECONDS:
                log.warning("programs_left", pids=self.pids)
                break
            self._wait(now)
        self._standings = tuple(charge.standing for charge in self._charges)

    def _tell(self, error: Exception) -> None:
        try:
            self._failed(error if isinstance(error, SchedulerError) else ProgramsFailed(str(error)))
        except Exception:
            log.exception("failed_callback_failed")

    def _wake_up(self) -> None:
        with suppress(OSError):
            os.write(self._waker, b"\0")

    def _close(self) -> None:
        with self._lock:
            if self._waker >= 0:
                os.close(self._wake)
                os.close(self._waker)
                self._wake = self._waker = -1
        self._over.set()
