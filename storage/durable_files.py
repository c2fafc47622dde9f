"""Files that are there completely after a power cut, or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

TEMPORARY = ".creating"
"""End of the name of whatever is not finished; leftovers may be removed at any start."""
PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600


def write_durably(path: Path, content: bytes) -> None:
    """Put `content` at `path`, replacing what was there in one step.

    Temporary name, fsync, rename, fsync of the folder: on return it survives power loss.

    Raises:
        OSError: it could not be written; nothing is left behind.
    """
    _write_and_rename(path, content)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path, files: Iterable[Path]) -> None:
    """Make `files` and then the names in `folder` durable."""
    for file in files:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    sync_folder(folder)


def make_private_folder(folder: Path) -> None:
    """Create `folder` for its owner only, and make its name durable; no-op if it is there."""
    try:
        folder.mkdir(PRIVATE_FOLDER)
    except FileExistsError:
        return
    sync_folder(folder.parent)


def _write_and_rename(path: Path, content: bytes) -> None:
    # A name of its own: two threads may be writing the same file.
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}{TEMPORARY}")
    try:
        _write_and_sync(temporary, content)
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _write_and_sync(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    descriptor = os.open(path, flags, PRIVATE_FILE)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
