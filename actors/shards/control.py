"""The child's side of supervision: it beats, and hears when to end."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from types import FrameType

from actors.shards.endings import HURRIED_EXIT, ORPHANED_EXIT
from actors.shards.settings import SupervisionSettings
from actors.shards.words import MAX_TEXT, STOP, Beat, Begun, Ending, Failed, Ready, Word, failed

PR_SET_PDEATHSIG = 1
"""`prctl(2)`: which signal the kernel sends when the parent's thread ends."""


class Control:
    """Connect a program to its supervisor. Used by the program's main thread.

    The beats come from the main thread: an interpreter that is stuck falls silent.

    Attributes:
        generation: how often this program was started, this time included.
        beat_seconds: how often it is to beat.
    """

    def __init__(
        self,
        pipe: Connection,
        parent: int,
        generation: int,
        settings: SupervisionSettings,
    ) -> None:
        """Take over this program's signals; SIGTERM still ends it until it is `ready`.

        Args:
            pipe: to the supervisor.
            parent: PID of the supervisor's program.
            generation: how often this program was started.
            settings: those of the supervisor.
        """
        self.generation = generation
        self.beat_seconds = settings.beat_seconds
        self._pipe = pipe
        self._parent = parent
        self._settings = settings
        self._speaking = threading.Lock()
        self._stopped = False
        self._signalled = 0
        self._orphaned = False
        self._limited = False
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        # A program that this one starts must hold neither end of the pipe open.
        os.set_inheritable(pipe.fileno(), False)
        _ignore_interrupts()
        _continue_when_orphaned()

    @property
    def orphaned(self) -> bool:
        """Whether the parent is known to be gone."""
        return self._orphaned

    def order(self) -> bytes:
        """Ask for the order, and return it.

        Raises:
            SystemExit: the parent is gone.
        """
        self._say(Begun())
        try:
            return self._pipe.recv_bytes()
        except (EOFError, OSError):
            raise SystemExit(ORPHANED_EXIT) from None

    def ready(self) -> None:
        """Say that the work begins. From now on SIGTERM ends `run`, a second one the program.

        Raises:
            SystemExit: the parent is gone.
        """
        signal.signal(signal.SIGTERM, self._on_terminate)
        self._say(Ready())

    def failed(self, error: BaseException) -> None:
        """Say why the work cannot be done; the program ends after that."""
        self._say_if_heard(failed(error))

    def ending(self, reason: str) -> None:
        """Say why this program is about to end by itself. Safe to call from any thread."""
        self._say_if_heard(Ending(reason[:MAX_TEXT]))

    def run(self) -> None:
        """Beat until this program is told to end, is signalled to, or its parent is gone.

        On return the caller has a limited time to end in good order; then the system ends it.
        """
        while not self.told(self.beat_seconds):
            self.beat()
        self.limit_end()

    def beat(self) -> None:
        """Say that this program is alive; left out while the supervisor does not listen."""
        poll = select.poll()
        poll.register(self._pipe.fileno(), select.POLLOUT)
        if poll.poll(0):
            self._say_if_heard(Beat())

    def filenos(self) -> tuple[int, ...]:
        """Return the descriptors that become readable when `told` has something to look at."""
        return (self._pipe.fileno(), self._wake)

    def told(self, patience: float = 0.0) -> bool:
        """Tell whether this program is to end, after waiting for it up to `patience` seconds."""
        if not (self._stopped or self._orphaned):
            heard = wait([self._pipe, self._wake], patience)
            if self._wake in heard:
                self._stopped = True
                self.ending("was signalled to end")
            if self._pipe in heard:
                self._hear()
            elif os.getppid() != self._parent:
                # A copy of this program's parent, made by fork, may hold the pipe open.
                self._orphaned = True
        return self._stopped or self._orphaned

    def limit_end(self) -> None:
        """Let the system end this program if it takes longer than it may, whatever it does."""
        if self._limited:
            return
        self._limited = True
        limit = self._settings.orphan_seconds if self._orphaned else self._settings.stop_seconds
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, limit)

    def _hear(self) -> None:
        # There is only one thing that a supervisor says to a running program.
        try:
            self._stopped = self._pipe.recv() == STOP
        except (EOFError, OSError):
            self._orphaned = True

    def _say(self, word: Word) -> None:
        try:
            with self._speaking:
                self._pipe.send(word)
        except OSError:
            self._orphaned = True
            raise SystemExit(ORPHANED_EXIT) from None

    def _say_if_heard(self, word: Beat | Ending | Failed) -> None:
        with suppress(SystemExit):
            self._say(word)

    def _on_terminate(self, _number: int, _frame: FrameType | None) -> None:
        self._signalled += 1
        if self._signalled > 1:
            os._exit(HURRIED_EXIT)
        with suppress(OSError):
            os.write(self._waker, b"\0")


def _ignore_interrupts() -> None:
    # Ctrl-C reaches the whole group; the parent hears it, and says what is to be done. It was
    # held back until here, see `Child`.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _continue_when_orphaned() -> None:
    # A program that is stopped (SIGSTOP) would keep its store locked for ever. Others do not
    # notice this signal. Where the system does not know `prctl`, they are stopped for good.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGCONT), 0, 0, 0)
