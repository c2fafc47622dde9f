"""Large messages of the old shards, given to the new ones as further names of the same files."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from storage.bodies import BodyFiles
from storage.durable_files import make_private_folder, sync_folder, write_durably
from storage.reshard.damage import Damaged

_UNLINKABLE = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES}
)
"""Two filesystems, or one that knows no second names: then the file is copied."""


class BodyLinks:
    """Brings files over. They never change, so that two names of one are as good as two files.

    A second name takes no room and no time, and giving up takes it away again without loss.
    """

    def __init__(self, sources: Sequence[BodyFiles], targets: Sequence[BodyFiles]) -> None:
        self._sources = sources
        self._targets = targets
        self._touched: set[Path] = set()

    def bring(self, name: str, shard: int) -> None:
        """Let the new shard `shard` have a file; durable once `sync` returns.

        Raises:
            Damaged: no old shard has it.
            OSError: there is no room.
        """
        path = self._targets[shard].path(name)
        make_private_folder(path.parent)
        # Also when it is there: whoever made the name may have been killed before it was durable.
        self._touched.add(path.parent)
        if not path.exists():
            _give(self._find(name), path)

    def sync(self) -> None:
        """Make the names of all files durable that were brought; before any record names them."""
        for folder in self._touched:
            sync_folder(folder)
        self._touched.clear()

    def _find(self, name: str) -> Path:
        for source in self._sources:
            path = source.path(name)
            if path.exists():
                return path
        raise Damaged(f"the file of a large message is missing: {name}")


def linkable(folder: Path, root: Path) -> bool:
    """Tell whether files in `folder` can have a second name in `root`."""
    return folder.stat().st_dev == root.stat().st_dev


def _give(file: Path, path: Path) -> None:
    try:
        # A file that another thread or run brought meanwhile is the same one.
        with suppress(FileExistsError):
            os.link(file, path)
    except OSError as exc:
        if exc.errno not in _UNLINKABLE:
            raise
        write_durably(path, file.read_bytes())
