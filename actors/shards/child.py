"""A child: one program of this node, and the pipe over which it is controlled."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from actors.events import log
from actors.shards.control import Control
from actors.shards.settings import SupervisionSettings
from actors.shards.words import STOP, Word
from protocol.errors import ProgramsFailed, SchedulerError

# A forked program would share the parent's store, threads and locks.
SPAWN = multiprocessing.get_context("spawn")

FAILED_EXIT = 1


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What a program is to do.

    Attributes:
        name: as people know it, such as "shard 0".
        number: which one of its kind it is.
        target: called in the program's main thread with its `Control` and `args`; a function
            that a module defines. What it raises before it is ready is what starting raises.
        args: whatever can be pickled. They travel over an inherited socket, so they may be
            secret.
    """

    name: str
    number: int
    target: Callable[..., None]
    args: tuple[Any, ...] = ()


class Child:
    """The parent's side of one life of a program. Used by one thread.

    Attributes:
        pid: of the program.
        begun: whether it came as far as to ask for its order.
    """

    def __init__(self, spec: ChildSpec, generation: int, settings: SupervisionSettings) -> None:
        """Start it.

        Raises:
            ProgramsFailed: it cannot be started from here.
            OSError: the system does not start another program.
        """
        self.begun = False
        self._order = _pickled(spec)
        self._pipe, theirs = SPAWN.Pipe()
        # Beyond theirs nothing of this program's is open in a spawned one: siblings hold no
        # end of each other's pipes, so the end of a pipe means the end of who held it.
        with theirs:
            arguments = (theirs, os.getpid(), generation, settings)
            self._process = SPAWN.Process(target=live, args=arguments, name=spec.name)
            try:
                _start(self._process)
            except BaseException:
                self._pipe.close()
                raise
        self.pid: int = self._process.pid or 0
        self._exit = _exit_sign(self._process)

    def signs(self) -> Iterator[Connection | int]:
        """Yield what becomes readable when there is something to hear or it has ended."""
        if not self._pipe.closed:
            yield self._pipe
        if self._exit is not None:
            yield self._exit

    def hear(self) -> Iterator[Word]:
        """Yield what it said since the last time, without waiting."""
        try:
            while not self._pipe.closed and self._pipe.poll():
                yield self._pipe.recv()
        except (EOFError, OSError):
            self._pipe.close()

    def give_order(self) -> None:
        """Hand over what it asked for; it is reading, so this does not wait."""
        self.begun = True
        with suppress(OSError):  # it has ended, which `ended` finds out
            self._pipe.send_bytes(self._order)

    def ask_to_stop(self) -> None:
        """Ask it to end in good order."""
        with suppress(OSError):
            self._pipe.send(STOP)

    def terminate(self) -> None:
        """Send it SIGTERM, which ends a program that is not ready at once."""
        self._process.terminate()

    def kill(self) -> None:
        """Send it SIGKILL, which ends a stopped program, too. It is gone once it has `ended`."""
        self._process.kill()

    @property
    def ended(self) -> bool:
        """Whether it is gone: it holds no file and no lock any more."""
        if self._process.exitcode is not None:
            return True
        # Somebody else in this program may have taken its exit code.
        return bool(wait([self._exit], 0)) if self._exit is not None else not _exists(self.pid)

    @property
    def exit_code(self) -> int | None:
        """Its exit code, below zero for a signal; None when somebody else has taken it."""
        return self._process.exitcode

    def close(self) -> None:
        """Let go of a program that has ended."""
        self._pipe.close()
        if self._exit is not None:
            os.close(self._exit)
            self._exit = None
        with suppress(ValueError):  # somebody else has taken its exit code
            self._process.close()

    def after_fork(self) -> None:
        """Close a forked child's copies, which would hide the death of its parent."""
        self._pipe.close()


def live(pipe: Connection, parent: int, generation: int, settings: SupervisionSettings) -> None:
    """Be a child: ask for an order and follow it. Runs in the spawned program.

    Raises:
        SystemExit: the order could not be followed, which was reported.
    """
    control = Control(pipe, parent, generation, settings)
    try:
        target, args = _unpickled(control.order())
        target(control, *args)
    except Exception as exc:
        if not isinstance(exc, SchedulerError):
            log.exception("program_failed")
        control.failed(exc)
        sys.exit(FAILED_EXIT)
    finally:
        # Threads that do not end, or what runs at exit, may not keep it alive.
        control.limit_end()
        # Nor is anything gained from a last look for garbage: a quarter of a short life's work.
        gc.freeze()


def _pickled(spec: ChildSpec) -> bytes:
    try:
        return pickle.dumps((spec.target, spec.args))
    except Exception as exc:
        raise ProgramsFailed(f"{spec.name} cannot be given what it needs: {exc}") from exc


def _unpickled(order: bytes) -> tuple[Callable[..., None], tuple[Any, ...]]:
    try:
        target, args = pickle.loads(order)  # noqa: S301 - from this program's own parent
    except Exception as exc:
        raise ProgramsFailed(f"what it was given cannot be read in another program: {exc}") from exc
    return target, args


def _start(process: multiprocessing.process.BaseProcess) -> None:
    if multiprocessing.current_process().daemon:
        raise ProgramsFailed(
            "a daemonic program of multiprocessing starts no others: "
            "start it with daemon=False, or use shards=0"
        )
    # Before the signal is held back: starting the tracker lets it through again.
    resource_tracker.ensure_running()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        # A program starts with Ctrl-C held back, as here, until it ignores it.
        process.start()
    except RuntimeError as exc:
        raise ProgramsFailed(
            "programs cannot be started while the main module is being imported: put what it "
            'does under `if __name__ == "__main__":`'
        ) from exc
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _exit_sign(process: multiprocessing.process.BaseProcess) -> int | None:
    # Not the sentinel of multiprocessing, which is a pipe: whatever the program starts without
    # closing it would hide its end.
    try:
        return os.pidfd_open(process.pid or 0)
    except (AttributeError, OSError):
        return None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
