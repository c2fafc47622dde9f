"""Uploaders: where signed items go to be published."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from protocol.errors import UploadFailed, UploadRefused
from protocol.ids import Id

FANOUT_CHARACTERS = 2


@dataclass(frozen=True, slots=True)
class Upload:
    """One item to publish.

    Attributes:
        id: ID of the item.
        kind: what it is.
        item: a serialised ANS-104 data item.
    """

    id: Id
    kind: Literal["message", "assignment"]
    item: bytes


Outcome = str | UploadFailed | UploadRefused
"""The bundler's acknowledgement, a failure to try again, or a refusal for good."""


class Uploader(Protocol):
    """Publish items. Called from several threads; uploading an item again is harmless."""

    def upload(self, items: Sequence[Upload]) -> Sequence[Outcome]:
        """Offer items and return one outcome for each, in order.

        An acknowledgement promises that the bundler keeps exactly these bytes. Raising
        `UploadFailed` means that of all items.
        """


class FolderUploader:
    """Publish into a folder: ``ab/abcdef…`` holds the item with that ID.

    The embedded default. An acknowledged item survives power loss; a reader never sees
    half an item.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Publish below `folder`, which is created when the first item comes."""
        self.folder = Path(folder)

    def upload(self, items: Sequence[Upload]) -> list[Outcome]:
        """Write the items, flush them and then their folders, and acknowledge them all.

        Raises:
            UploadFailed: the folder cannot be written; nothing is acknowledged.
        """
        try:
            targets = [self.path(upload.id) for upload in items]
            for folder in {target.parent for target in targets}:
                self._make(folder)
            for upload, target in zip(items, targets, strict=True):
                _write(target, upload.item)
            _flush({target.parent for target in targets})
        except OSError as exc:
            raise UploadFailed(f"cannot publish to {self.folder}: {exc.strerror}") from exc
        return [f"folder:{target.relative_to(self.folder)}" for target in targets]

    def path(self, item_id: Id) -> Path:
        """Where the item with this ID is published."""
        text = str(item_id)
        return self.folder / text[:FANOUT_CHARACTERS] / text

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            folder.mkdir(exist_ok=True)
            _flush([self.folder, self.folder.parent])


def _write(target: Path, item: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".")
    try:
        with open(descriptor, "wb") as file:
            file.write(item)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _flush(folders: Iterable[Path]) -> None:
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
