"""Uploaders: where signed items go to be published."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from protocol.errors import UploadFailed, UploadRefused
from protocol.ids import Id
from storage.durable_files import make_private_folder, sync_folder, write_all_durably

FANOUT_CHARACTERS = 2


@dataclass(frozen=True, slots=True)
class Upload:
    """One item to publish.

    Attributes:
        id: ID of the item.
        kind: what it is.
        item: a serialised ANS-104 data item.
        carries: ID of the message or assignment inside, where that is no item itself.
    """

    id: Id
    kind: Literal["message", "assignment"]
    item: bytes
    carries: Id | None = None


Outcome = str | UploadFailed | UploadRefused
"""The bundler's acknowledgement, a failure to try again, or a refusal for good."""


class Uploader(Protocol):
    """Publish items. Called from several threads; uploading an item again is harmless."""

    def upload(self, items: Sequence[Upload]) -> Sequence[Outcome]:
        """Offer items and return one outcome for each, in order.

        An acknowledgement promises that the bundler keeps exactly these bytes. Raising
        `UploadFailed` or `UploadRefused` means that of all items; anything else that is
        raised or returned counts as `UploadFailed`.
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
        contents = {self.path(upload.id): upload.item for upload in items}
        try:
            for folder in {target.parent for target in contents}:
                self._make(folder)
            write_all_durably(contents)
            # Another thread may have made one of our folders just now, and not flushed it yet.
            for folder in (self.folder, self.folder.parent):
                sync_folder(folder)
        except OSError as exc:
            raise UploadFailed(f"cannot publish to {self.folder}: {exc.strerror}") from exc
        return [f"folder:{self.path(upload.id).relative_to(self.folder)}" for upload in items]

    def path(self, item_id: Id) -> Path:
        """Where the item with this ID is published."""
        text = str(item_id)
        return self.folder / text[:FANOUT_CHARACTERS] / text

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            make_private_folder(self.folder)
            make_private_folder(folder)
