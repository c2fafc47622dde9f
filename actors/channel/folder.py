"""The folder of the sockets that shards listen at."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from protocol.errors import Unavailable
from storage.durable_files import PRIVATE_FOLDER

MAX_PATH_BYTES = 107
"""Longest path of a Unix socket (unix(7): 108 bytes, one of them ends it)."""

_SHORT = Path("/tmp")  # noqa: S108 - the folder in it is new and our own
_PREFIX = "ao-"
_LONGEST_NAME = "shard-65535"


@dataclass(frozen=True, slots=True)
class SocketFolder:
    """A folder that only our own user can enter; it may be handed to other programs.

    Attributes:
        path: where it is.
    """

    path: Path

    @classmethod
    def create(cls) -> Self:
        """Make a new one, with a path short enough for the name of a socket.

        Raises:
            Unavailable: there is no room for it.
        """
        parent = Path(tempfile.gettempdir())
        if len(os.fsencode(parent / f"{_PREFIX}01234567" / _LONGEST_NAME)) > MAX_PATH_BYTES:
            parent = _SHORT
        try:
            return cls(Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent)))
        except OSError as exc:
            raise Unavailable(f"cannot make a folder in {parent}: {exc.strerror}") from exc

    def socket(self, shard: int) -> Path:
        """Where a shard listens."""
        return self.path / f"shard-{shard}"

    def check(self) -> None:
        """Insist that it is ours alone.

        Raises:
            Unavailable: it is missing, another user's, or open to others.
        """
        require_private(self.path)

    def remove(self) -> None:
        """Remove it with whatever is left in it. Idempotent; only for who made it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def leave(self) -> None:
        """Remove it if nothing is left in it: for who comes last when its maker was killed."""
        with suppress(OSError):
            self.path.rmdir()


def require_private(folder: Path) -> None:
    """Insist that only our own user can enter a folder.

    Raises:
        Unavailable: it is missing, another user's, or open to others.
    """
    try:
        found = folder.lstat()
    except OSError as exc:
        raise Unavailable(f"cannot look at {folder}: {exc.strerror}") from exc
    if not stat.S_ISDIR(found.st_mode):
        raise Unavailable(f"{folder} is no folder")
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) != PRIVATE_FOLDER:
        raise Unavailable(f"{folder} is another user's, or open to others")
