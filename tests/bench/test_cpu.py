from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from bench.cpu import cpu_seconds

BUSY = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"


def test_the_time_of_another_program_is_counted() -> None:
    """What a program that we started used is known while it runs."""
    with subprocess.Popen(
        [sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        program.stdout.readline()
        used = cpu_seconds([program.pid])
        assert used >= 0.2
        assert cpu_seconds([program.pid, os.getpid()]) > used
        program.communicate(b"\n")
    with pytest.raises(OSError, match="argument"):
        cpu_seconds([program.pid])


def test_threads_that_ended_count() -> None:
    """The time of a program is that of all threads it ever had."""
    before = cpu_seconds([os.getpid()])
    thread = threading.Thread(target=use, args=[0.1])
    thread.start()
    thread.join()
    assert cpu_seconds([os.getpid()]) - before >= 0.1


def use(seconds: float) -> None:
    while time.thread_time() < seconds:
        pass
