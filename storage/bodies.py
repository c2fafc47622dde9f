"""Large messages: each is a file of its own, named by its message and its content."""

from __future__ import annotations

import errno
import shutil
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from protocol.errors import CorruptRecord, InvalidId, StoreFull, Unavailable
from protocol.ids import ID_CHARACTERS, Id
from storage.durable_files import (
    PRIVATE_FOLDER,
    TEMPORARY,
    make_private_folder,
    sync_folder,
    write_durably,
)
from storage.journal import Body
from storage.records import StoredBody

FOLDER = "bodies"
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Disk, quota or file size limit is used up."""


class BodyFiles:
    """The folder of large messages of one shard: ``bodies/ab/<message id>.<sha256>``.

    A file is written before the record that names it, and never changes. Files without a
    record come from crashes in between.
    """

    def __init__(self, shard_folder: Path, large: int) -> None:
        """Take the shard's folder, and the size in bytes from which a body is large."""
        self._folder = shard_folder / FOLDER
        self.large = large

    def form(self, message_id: Id, body: Body) -> StoredBody:
        """Return what the record of `body` holds: the bytes, or the name of their file."""
        if len(body.encoded) < self.large:
            return StoredBody(body.codec, body.encoded, "")
        return StoredBody(body.codec, b"", _file_name(message_id, body))

    def same(self, message_id: Id, kept: StoredBody, body: Body) -> bool:
        """Tell whether a message's record stands for exactly `body`.

        By what it is and not by its form: the limit may have been another one then.
        """
        if kept.file:
            return (kept.codec, kept.file) == (body.codec, _file_name(message_id, body))
        return (kept.codec, kept.encoded) == (body.codec, body.encoded)

    def keep(self, message_id: Id, body: Body) -> None:
        """Make the file of a large body durable; no-op for a small one. Any thread.

        Raises:
            StoreFull: there is no room; nothing is left behind.
            Unavailable: the file cannot be written.
        """
        name = self.form(message_id, body).file
        if not name:
            return
        path = self.path(name)
        try:
            make_private_folder(self._folder)
            make_private_folder(path.parent)
            if path.exists():
                # Another thread may have renamed it a moment ago, and not synced yet.
                sync_folder(path.parent)
            else:
                write_durably(path, body.encoded)
        except OSError as exc:
            if exc.errno in NO_ROOM:
                raise StoreFull(f"no room for a message of {len(body.encoded)} bytes") from exc
            raise Unavailable(f"cannot write {path}: {exc.strerror}") from exc

    def present(self, stored: StoredBody) -> bool:
        """Tell whether the record needs no file, or its file is there."""
        return not stored.file or self.path(stored.file).exists()

    def load(self, stored: StoredBody) -> Body:
        """Return the message that a record stands for.

        Raises:
            CorruptRecord: its file is gone, or does not match the digest in its name.
            Unavailable: the whole shard is gone from here.
        """
        if not stored.file:
            return Body(stored.codec, stored.encoded)
        try:
            encoded = self.path(stored.file).read_bytes()
        except OSError as exc:
            if not self._folder.parent.exists():
                raise Unavailable("the store was resharded or moved: open it again") from exc
            raise CorruptRecord(f"cannot read body {stored.file}: {exc.strerror}") from exc
        if _digest(encoded) != stored.file[ID_CHARACTERS + 1 :]:
            raise CorruptRecord(f"body {stored.file} does not match its digest")
        return Body(stored.codec, encoded)

    def remove_unnamed(self, is_named: Callable[[Id, str], bool]) -> int:
        """Remove what no record names, and what was never finished; return how many.

        Args:
            is_named: tells whether the record of a message names a file.
        """
        removed = 0
        for path in self.files():
            message_id = _message_of(path.name)
            if message_id is None or not is_named(message_id, path.name):
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def copy_into(self, shard_folder: Path) -> None:
        """Copy every finished file to another shard's folder, without making it durable.

        Raises:
            OSError: it could not be written.
        """
        folder = shard_folder / FOLDER
        folder.mkdir(PRIVATE_FOLDER)
        for file in self.files():
            copied = folder / file.relative_to(self._folder)
            copied.parent.mkdir(PRIVATE_FOLDER, exist_ok=True)
            if not file.name.endswith(TEMPORARY):
                # One that is gone by now was named by no record.
                with suppress(FileNotFoundError):
                    shutil.copyfile(file, copied)

    def files(self) -> list[Path]:
        """Return every file, finished or not."""
        return list(self._folder.glob("*/*"))

    def path(self, name: str) -> Path:
        """Where the file of a large body lies, or would."""
        return self._folder / name[:2] / name


def _file_name(message_id: Id, body: Body) -> str:
    return f"{message_id}.{_digest(body.encoded)}"


def _message_of(name: str) -> Id | None:
    """The message that a file name begins with, or None for anything else."""
    try:
        return Id.parse(name[:ID_CHARACTERS])
    except InvalidId:
        return None


def _digest(encoded: bytes) -> str:
    return urlsafe_b64encode(sha256(encoded).digest())[:-1].decode("ascii")
