"""A resharding that is not finished: its plan lies in the store until all of it is done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from protocol.errors import StoreInvalid
from storage.durable_files import sync_folder, write_durably
from storage.layout import Layout
from storage.manifest import Manifest, require_manifest


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a store. The manifest alone says how far that is: one of the two is in it.

    Attributes:
        before: the manifest that is replaced.
        after: the manifest that replaces it, in one step, once the new shards are verified.
        owners: the ownership records of the old shards when copying began. A shard that has
            another one was written to since, and what was copied counts for nothing.
        verified: whether the new shards are complete, and were found to be in order.
    """

    before: Manifest
    after: Manifest
    owners: tuple[bytes, ...]
    verified: bool = False

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """Read what `save` wrote.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: it was something else.
        """
        return cls(
            Manifest.of(content["before"]),
            Manifest.of(content["after"]),
            tuple(map(bytes.fromhex, content["owners"])),
            bool(content["verified"]),
        )

    def save(self, root: Path) -> None:
        """Write it durably; from then on the store opens for writing only when it is done.

        Raises:
            OSError: there is no room.
        """
        content = {
            "before": self.before.content(),
            "after": self.after.content(),
            "owners": [owner.hex() for owner in self.owners],
            "verified": self.verified,
        }
        write_durably(_file(root), json.dumps(content).encode() + b"\n")


def load_plan(root: Path) -> Plan | None:
    """Read the plan of an unfinished resharding, or None when there is none.

    Raises:
        StoreInvalid: it cannot be read.
    """
    file = _file(root)
    try:
        return Plan.of(json.loads(file.read_bytes()))
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise StoreInvalid(f"cannot read {file}: {exc.strerror}") from exc
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise StoreInvalid(f"{file} is not the plan of a resharding") from exc


def forget_plan(root: Path) -> None:
    """Remove the plan, and make that durable; no-op when there is none.

    Raises:
        OSError: it cannot be removed.
    """
    _file(root).unlink(missing_ok=True)
    sync_folder(root)


def layout_for_writing(root: Path, shards: int) -> Layout:
    """Return where the shards of a store lie that may be written to.

    Raises:
        StoreInvalid: it is no store, has another number of shards, or is being resharded.
    """
    manifest, plan = require_manifest(Layout(root)), load_plan(root)
    if plan is not None:
        raise StoreInvalid(f"{root} is being resharded: {how_to_go_on(plan, manifest)}")
    if manifest.shards != shards:
        raise StoreInvalid(
            f"{root} has {manifest.shards} shards, not {shards}: open it with that number, "
            f"or change it with `ao-scheduler reshard --shards {shards}`"
        )
    return manifest.layout(root)


def how_to_go_on(plan: Plan, manifest: Manifest) -> str:
    """Say in a few words which commands end an unfinished resharding."""
    words = f"`ao-scheduler reshard --shards {plan.after.shards}` finishes it"
    if manifest == plan.before:
        words += f", `ao-scheduler reshard --shards {plan.before.shards}` gives it up"
    return words


def _file(root: Path) -> Path:
    return root / "resharding.json"
