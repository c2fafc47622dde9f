"""The parent's side of a program that is going to be killed."""

from __future__ import annotations

import os
import pickle
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from tests.crash.telling import Job, Listener, Record
from tests.sources import ROOT

T = TypeVar("T")
CHUNK = 1 << 16
HANG_SECONDS = 60.0
"""How long a program may say nothing before it counts as hanging."""


class Program:
    """Run a job in another OS process, and hear what it tells.

    Attributes:
        records: everything it told so far.
    """

    def __init__(self, job: Job, folder: Path) -> None:
        self.records: list[Record] = []
        self._listener = Listener()
        job_file = folder / "job"
        job_file.write_bytes(pickle.dumps(job))
        self._pipe, theirs = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.child", str(job_file), str(theirs)],
            cwd=ROOT,
            pass_fds=[theirs],
            stdin=subprocess.PIPE,
        )
        os.close(theirs)
        self.pid = self._process.pid

    def wait_for(self, kind: type[T]) -> T:
        """Listen until it tells something of one kind; what it told before is kept, too."""
        for record in self._listen(HANG_SECONDS):
            if isinstance(record, kind):
                return record
        raise AssertionError(f"the program ended without {kind.__name__}: {self.records[-3:]}")

    def listen_to_its_end(self) -> int:
        """Listen until it ends; return its exit code, below zero for a signal."""
        for _ in self._listen(HANG_SECONDS):
            pass
        return self._process.wait(HANG_SECONDS)

    def listen_for(self, seconds: float) -> None:
        """Listen for some time; it may end before."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self._hear(left):
            pass

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it with SIGKILL, and hear what it told until then."""
        self._process.kill()
        self._process.wait()
        while self._hear(0.0):
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
        os.close(self._pipe)
        assert self._process.stdin is not None
        self._process.stdin.close()

    def _listen(self, patience: float) -> Iterator[Record]:
        yielded = 0
        while True:
            yield from self.records[yielded:]
            yielded = len(self.records)
            if not self._hear(patience):
                return

    def _hear(self, patience: float) -> bool:
        """Take what is in the pipe; False once it is empty and has no writer any more."""
        ready, _, _ = select.select([self._pipe], [], [], patience)
        if not ready:
            if patience >= HANG_SECONDS:
                raise AssertionError(f"the program hangs after {self.records[-3:]}")
            return False
        content = os.read(self._pipe, CHUNK)
        self.records += self._listener.take(content)
        return bool(content)
