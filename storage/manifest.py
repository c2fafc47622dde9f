"""The manifest: what a store is, readable by every version to come."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from protocol.errors import StoreInvalid
from storage.durable_files import write_durably
from storage.layout import MAX_SHARDS, Layout

FORMAT = 2
"""Raised when an older program could misread a store; older stores stay readable."""

FIRST_FORMAT = 1
"""Of stores whose shards lie in the root: programs of that format look for them nowhere else."""

_FOLDER = re.compile(r"resharded-[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a store is; replaced as a whole when it is resharded.

    Attributes:
        shards: number of shards; it decides which shard a process belongs to.
        folder: where in the store the shards lie; "" is the store's own folder.
    """

    shards: int
    folder: str = ""

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """Read what `content` returned.

        Raises:
            KeyError, TypeError, ValueError: it was something else.
        """
        shards, folder = int(content["shards"]), str(content.get("folder", ""))
        if not 1 <= shards <= MAX_SHARDS or not (folder == "" or _FOLDER.fullmatch(folder)):
            raise ValueError(f"{shards} shards in {folder!r}")
        return cls(shards, folder)

    def content(self) -> dict[str, Any]:
        """Return what JSON can carry."""
        if not self.folder:
            return {"format": FIRST_FORMAT, "shards": self.shards}
        return {"format": FORMAT, "shards": self.shards, "folder": self.folder}

    def layout(self, root: Path) -> Layout:
        """Return where things lie in the store in `root` while this is its manifest."""
        return Layout(root, self.folder)

    def next_folder(self) -> str:
        """Return where the shards go when this store is resharded."""
        return f"resharded-{int(self.folder.rpartition('-')[2] or 0) + 1}"

    def save(self, layout: Layout) -> None:
        """Write it durably; from then on the folder is a store.

        Raises:
            OSError: there is no room.
        """
        write_durably(layout.manifest, json.dumps(self.content()).encode() + b"\n")


def load_manifest(layout: Layout) -> Manifest | None:
    """Read the manifest, or None when there is none.

    Raises:
        StoreInvalid: it cannot be read, or a newer version wrote it.
    """
    try:
        content = json.loads(layout.manifest.read_bytes())
        version = int(content["format"])
        manifest = Manifest.of(content) if version <= FORMAT else None
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise StoreInvalid(f"cannot read {layout.manifest}: {exc.strerror}") from exc
    except (ValueError, TypeError, KeyError) as exc:
        raise StoreInvalid(f"{layout.manifest} is not the manifest of a store") from exc
    if manifest is None:
        raise StoreInvalid(f"{layout.root} has store format {version}; this version reads {FORMAT}")
    return manifest


def require_manifest(layout: Layout) -> Manifest:
    """Read the manifest of a folder that must be a store.

    Raises:
        StoreInvalid: it is none, or a newer version wrote it.
    """
    manifest = load_manifest(layout)
    if manifest is None:
        raise StoreInvalid(f"{layout.root} is not a store")
    return manifest


def stored_shards(root: str | os.PathLike[str]) -> int | None:
    """Return how many shards the store in `root` has, or None when there is no store yet.

    Raises:
        StoreInvalid: its manifest cannot be read, or a newer version wrote it.
    """
    manifest = load_manifest(Layout(Path(root)))
    return None if manifest is None else manifest.shards
