"""Uploaders: where signed items go to be published."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from protocol.codecs.bundles import decode_bundle, encode_bundle
from protocol.errors import UploadFailed, UploadRefused
from protocol.ids import Id, digest_id
from storage.durable_files import make_private_folder, sync_folder, write_durably

FANOUT_CHARACTERS = 2
SUFFIX = ".bundle"


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
    """Publish items. Called from several threads; uploading an item again is harmless.

    Messages are offered before the assignments that name them; together in one call to an
    uploader that has the attribute `atomic` and it is True: it takes all of a call or nothing.
    """

    def upload(self, items: Sequence[Upload]) -> Sequence[Outcome]:
        """Offer items and return one outcome for each, in order.

        An acknowledgement promises that the bundler keeps exactly these bytes. Raising
        `UploadFailed` or `UploadRefused` means that of all items; anything else that is
        raised or returned counts as `UploadFailed`.
        """


class FolderUploader:
    """Publish into a folder: each file is an ANS-104 bundle of what was offered together.

    The embedded default. An acknowledged item survives power loss; a reader never sees half
    a bundle. A file per bundle and not per item: flushing costs more than all else here.

    Attributes:
        atomic: a bundle is there as a whole, or not at all.
    """

    atomic = True

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Publish below `folder`, which is created when the first item comes."""
        self.folder = Path(folder)
        # Folders whose names are known to survive power loss; several threads add to it.
        self._durable: set[Path] = set()

    def upload(self, items: Sequence[Upload]) -> list[Outcome]:
        """Write the items as one bundle, flush it and then its folders, and acknowledge them.

        Raises:
            UploadFailed: the folder cannot be written; nothing is acknowledged.
        """
        if not items:
            return []
        bundle = encode_bundle([(upload.id, upload.item) for upload in items])
        # Named by its content: offered again, the same items are the same file.
        name = str(digest_id(bundle)) + SUFFIX
        file = self.folder / name[:FANOUT_CHARACTERS] / name
        try:
            if file.parent not in self._durable:
                self._make(file.parent)
            write_durably(file, bundle)
        except OSError as exc:
            # Perhaps somebody removed the folder: the next try makes it again.
            self._durable.clear()
            raise UploadFailed(f"cannot publish to {self.folder}: {exc.strerror}") from exc
        return [f"folder:{file.relative_to(self.folder)}"] * len(items)

    def items(self) -> Iterator[tuple[Id, bytes]]:
        """Yield what is published: (ID, item), in no order, perhaps the same one twice.

        Raises:
            MalformedItem: a file is damaged.
        """
        for file in self.folder.glob(f"*/*{SUFFIX}"):
            yield from decode_bundle(file.read_bytes())

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            make_private_folder(self.folder)
            make_private_folder(folder)
        # Another thread may have made one of them just now, and not flushed it yet.
        for above in (self.folder, self.folder.parent):
            sync_folder(above)
        self._durable.add(folder)
