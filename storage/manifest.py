"""The manifest: what a store is, readable by every version to come."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from protocol.errors import StoreInvalid
from storage.durable_files import write_durably
from storage.layout import Layout

FORMAT = 1
"""Raised when an older program could misread a store; older stores stay readable."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is fixed when a store is created.

    Attributes:
        shards: number of shards; it decides which shard a process belongs to.
        format: version of everything in the folder.
    """

    shards: int
    format: int = FORMAT

    def save(self, layout: Layout) -> None:
        """Write it durably; from then on the folder is a store.

        Raises:
            OSError: there is no room.
        """
        content = {"format": self.format, "shards": self.shards}
        write_durably(layout.manifest, json.dumps(content).encode() + b"\n")


def load_manifest(layout: Layout) -> Manifest | None:
    """Read the manifest, or None when there is none.

    Raises:
        StoreInvalid: it cannot be read, or a newer version wrote it.
    """
    try:
        content = json.loads(layout.manifest.read_bytes())
        manifest = Manifest(shards=int(content["shards"]), format=int(content["format"]))
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise StoreInvalid(f"cannot read {layout.manifest}: {exc.strerror}") from exc
    except (ValueError, TypeError, KeyError) as exc:
        raise StoreInvalid(f"{layout.manifest} is not the manifest of a store") from exc
    if manifest.format > FORMAT:
        raise StoreInvalid(
            f"{layout.root} has store format {manifest.format}; this version reads {FORMAT}"
        )
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
