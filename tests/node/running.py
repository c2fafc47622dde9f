"""Real programs: one that holds a store, and commands on a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from tests.storage.programs import ROOT, Program

HOLD = """
import sys
from actors import Scheduler
from protocol import Wallet
with Scheduler.open(sys.argv[1], Wallet.load(sys.argv[2])):
    print("open", flush=True)
    input()
"""


def holder(environment: Mapping[str, str]) -> Program:
    """Return a program that writes to the store; it prints a line when it has it."""
    return Program(HOLD, environment["AO_SCHEDULER_DATA"], environment["AO_SCHEDULER_WALLET"])


def command(environment: Mapping[str, str], *arguments: object) -> subprocess.CompletedProcess:
    """Run a command as an OS process, its output piped."""
    return subprocess.run(
        _command(arguments),
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def on_terminal(
    environment: Mapping[str, str], *arguments: object, typed: str = ""
) -> tuple[int, str]:
    """Run a command on a terminal of 200 columns; return its exit code and what is seen."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        _command(arguments),
        cwd=ROOT,
        env=os.environ | environment | {"COLUMNS": "200", "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    seen = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    return process.wait(60), seen.decode()


def _command(arguments: tuple[object, ...]) -> list[str]:
    return [sys.executable, "-m", "node.cli", *map(str, arguments)]


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # the last program on it has ended
        return b""
