"""A worker: another OS process that runs tasks, so that its death is not the caller's."""

from __future__ import annotations

import os
import subprocess
import sys
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from protocol.errors import Unavailable
from storage.verify.checker import Checker
from storage.verify.tasks import Outcome, Task

_PROGRAM = """
import sys
descriptor, root, *sys.path = sys.argv[1:]
from storage.verify.worker import serve
serve(int(descriptor), root)
"""


class Died(Exception):
    """The worker ended in the middle of a task; the text says how."""


class Worker:
    """The caller's side of one worker.

    Started as a program of its own and not by `multiprocessing`, which would run the
    caller's main module once more in each worker, whether that is prepared for it or not.

    Attributes:
        connection: readable once there is an answer, or the worker died.
        task: what it is working on.
    """

    def __init__(self, root: Path) -> None:
        """Start it.

        Raises:
            Unavailable: the system does not start another program.
        """
        self.task: Task | None = None
        self.connection, theirs = Pipe()
        with theirs:
            try:
                self._process = _start(theirs.fileno(), root)
            except OSError as exc:
                self.connection.close()
                raise Unavailable(f"cannot start a worker: {exc.strerror}") from exc

    def give(self, task: Task) -> None:
        """Let it work on `task`; it has answered the one before."""
        self.task = task
        try:
            self.connection.send(task)
        except OSError:
            # It is dead already, which `answer` finds out.
            return

    def answer(self) -> Outcome:
        """Return what came of its task.

        Raises:
            Died: it was ended by a signal, such as a damaged file can lead to.
            Unavailable: it gave up by itself, which no damage to the store leads to.
        """
        try:
            outcome: Outcome = self.connection.recv()
        except (EOFError, OSError):
            self.connection.close()
            code = self._process.wait()
            if code >= 0:
                raise Unavailable(f"a worker ended with exit code {code}") from None
            raise Died(f"a worker was ended by signal {-code}") from None
        self.task = None
        return outcome

    def end(self) -> None:
        """Let it end, or end it in the middle of a task."""
        self.connection.close()
        if self.task is not None:
            self._process.kill()
        self._process.wait()


def serve(descriptor: int, root: str) -> None:
    """Be a worker: answer tasks that come over an inherited socket, until it is closed."""
    with Connection(descriptor) as connection, Checker(Path(root)) as checker:
        while True:
            try:
                task = connection.recv()
            except EOFError:
                return
            connection.send(checker.run(task))


def _start(descriptor: int, root: Path) -> subprocess.Popen[bytes]:
    arguments = [str(descriptor), os.fspath(root), *sys.path]
    return subprocess.Popen(  # noqa: S603 - this interpreter, this program
        [sys.executable, "-c", _PROGRAM, *arguments],
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        # Ctrl-C is for the caller, who then ends the workers.
        process_group=0,
    )
