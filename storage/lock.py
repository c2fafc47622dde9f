"""One writer per shard: an exclusive `flock` on a file that says who the writer is."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from protocol.errors import StoreInUse, StoreInvalid
from storage.durable_files import PRIVATE_FILE
from storage.forks import give_up_in_children

_PID_WIDTH = 20


class WriterLock:
    """Hold a lock file until `release`, or until this program ends however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            StoreInUse: another program (or another journal in this one) holds it.
            StoreInvalid: the filesystem cannot lock.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            self._descriptor = os.open(path, flags, PRIVATE_FILE)
        except OSError as exc:
            raise StoreInvalid(f"cannot open {path}: {exc.strerror}") from exc
        try:
            self._take(path)
        except BaseException:
            os.close(self._descriptor)
            raise
        give_up_in_children(self)

    def release(self) -> None:
        """Give the lock up. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def after_fork(self) -> None:
        """Close the child's copy, which would keep the lock beyond its parent's death."""
        self.release()

    def _take(self, path: Path) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, _PID_WIDTH, 0).decode("ascii", "replace").strip()
            raise StoreInUse(f"{path.parent} is in use by PID {holder or 'unknown'}") from None
        except OSError as exc:
            raise StoreInvalid(f"cannot lock {path}: {exc.strerror}") from exc
        # Only whoever is kept out reads it: a full disk is no reason to stay out.
        said = b"%-*d%-*d" % (_PID_WIDTH, os.getpid(), _PID_WIDTH, os.getppid())
        with suppress(OSError):
            os.pwrite(self._descriptor, said, 0)


def recorded_holder(path: Path) -> int | None:
    """Return the PID that a lock file names, if a program with that PID is running.

    Looks without taking the lock, even for a moment: a writer might be starting. The PID of
    a writer that was killed may have gone to another program since.
    """
    try:
        pid = int(path.read_bytes()[:_PID_WIDTH])
        if pid > 0:
            os.kill(pid, 0)
    except PermissionError:  # another user's
        return pid
    except (OSError, ValueError, OverflowError):
        return None
    return pid if pid > 0 else None


def recorded_parent(path: Path) -> int | None:
    """Return the PID of the program that had started the one that a lock file names."""
    try:
        return int(path.read_bytes()[_PID_WIDTH:])
    except (OSError, ValueError):
        return None
