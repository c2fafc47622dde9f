"""Programs for a supervisor to run: each does one thing, by which a test tells it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

from actors.shards.control import Control
from actors.shards.looping import until_told
from storage.lock import WriterLock


class Odd(Exception):
    """An error that can be pickled and not be read again."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


def obedient(control) -> None:
    """Be ready, and end when told to."""
    control.ready()
    control.run()


def telling(control, line: Path) -> None:
    """Say into a FIFO when it is ready, and when it has ended in good order."""
    control.ready()
    say(line, f"ready {control.generation}")
    control.run()
    say(line, f"ended {control.generation}")


def telling_secretly(control, line: Path, secret: str) -> None:
    """Say into a FIFO what it was told in secret."""
    control.ready()
    say(line, secret)
    control.run()


def refusing(_control, error: Exception) -> None:
    """Fail before being ready."""
    raise error


def refusing_oddly(_control) -> None:
    """Fail with an error that does not travel."""
    raise Odd("quite", "odd")


def refusing_later(control, flag: Path, error: Exception) -> None:
    """Be ready the first time, fail ever after."""
    if flag.exists():
        raise error
    flag.touch()
    obedient(control)


def exiting(_control, code: int) -> None:
    """End before being ready, without a word."""
    os._exit(code)


def never_ready(_control) -> None:
    """Take for ever to start."""
    threading.Event().wait()


def opening(control, line: Path, bar: Path) -> None:
    """Take until a bar is lifted to start."""
    say(line, "opening")
    pass_bar(bar)
    obedient(control)


def silent(control) -> None:
    """Be ready, and never beat."""
    control.ready()
    threading.Event().wait()


def stubborn(control) -> None:
    """Hear that it is to end, and go on."""
    obedient(control)
    threading.Event().wait()


def lingering(control) -> None:
    """End, but leave a thread behind that does not."""
    threading.Thread(target=threading.Event().wait).start()
    obedient(control)


def ending(control, line: Path, bar: Path) -> None:
    """Take until a bar is lifted to end."""
    control.ready()
    control.run()
    say(line, "ending")
    pass_bar(bar)
    say(line, "ended")


def looping(control, line: Path) -> None:
    """Wait beside another task of a loop to be told to end."""

    async def loop() -> None:
        other = asyncio.create_task(asyncio.Event().wait())
        control.ready()
        say(line, f"ready {control.generation}")
        await until_told(control)
        other.cancel()

    asyncio.run(loop())
    say(line, f"ended {control.generation}")


def locking(control, file: Path) -> None:
    """Hold a lock that only one can."""
    WriterLock(file)
    obedient(control)


def hanging_orphan(pipe, parent: int, settings, line: Path) -> None:
    """Hang once the parent is gone. A whole program, and no target."""
    control = Control(pipe, parent, 1, settings)
    control.ready()
    say(line, "ready")
    control.run()
    threading.Event().wait()


def leaving_a_child(control, bar: Path) -> None:
    """Start a program that keeps everything open which is not closed for it, up to a bar."""
    held_up = "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_SH)"
    subprocess.Popen([sys.executable, "-c", held_up, str(bar)], close_fds=False)
    control.ready()
    control.run()


def say(line: Path, words: str) -> None:
    """Write a line into a FIFO that somebody reads."""
    with line.open("w") as file:
        file.write(f"{words} {os.getpid()}\n")


def pass_bar(path: Path) -> None:
    """Wait until the bar is lifted."""
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
