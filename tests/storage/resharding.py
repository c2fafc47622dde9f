"""What a store holds, record by record, however many shards it has; and stores to reshard."""

from __future__ import annotations

import shutil
from pathlib import Path

import lmdb

from protocol.ids import Id
from protocol.message import verify
from protocol.wallet import Wallet
from storage import Body, StoreSettings, adopt, open_writer, shard_of
from storage.bodies import BodyFiles
from storage.layout import Layout
from storage.manifest import require_manifest
from storage.reshard import Step
from storage.tables import MESSAGES, META, OWNER, TABLES
from storage.unfinished import load_plan
from storage.verify import verify_store
from tests.items import message_item
from tests.storage.signed import SignedSchedule

LARGE = StoreSettings(large_body=2000)
"""What makes half of the messages files of their own."""

Content = dict[tuple[bytes, bytes], bytes]
"""Records by table and key, and files of large messages by name."""


class Interrupted(BaseException):
    """Raised in the middle of resharding, which nothing may catch."""


class Interruption:
    """Listens to what resharding announces, and interrupts it at a step."""

    def __init__(self, step: Step, done: int = 0) -> None:
        self.step = step
        self.done = done
        self.heard: list[tuple[Step, int, int]] = []

    def __call__(self, step: Step, done: int, total: int) -> None:
        self.heard.append((step, done, total))
        if step is self.step and done >= self.done:
            raise Interrupted


def content(root: Path) -> Content:
    """Return everything that a closed store keeps, after checking that it lies where it belongs.

    Who may write, and how many records there are, is each shard's own.
    """
    manifest = require_manifest(Layout(root))
    layout = manifest.layout(root)
    found: Content = {}
    for shard in range(manifest.shards):
        own = _records(layout.shard(shard))
        for table, key in own:
            if table not in (MESSAGES, META):
                assert shard_of(Id(key[:32]), manifest.shards) == shard
        own |= {
            (b"bodies", file.name.encode()): file.read_bytes()
            for file in BodyFiles(layout.shard(shard), 0).files()
        }
        for place, record in own.items():
            assert found.setdefault(place, record) == record
    return found


def _records(folder: Path) -> Content:
    found: Content = {}
    with lmdb.open(str(folder), readonly=True, max_dbs=len(TABLES)) as environment:
        for table in TABLES:
            handle = environment.open_db(table, create=False)
            with environment.begin(handle) as transaction:
                found |= {(table, bytes(key)): bytes(value) for key, value in transaction.cursor()}
    own = {place for place in found if place[0] == META and not place[1].startswith(OWNER)}
    return {place: record for place, record in found.items() if place not in own}


def make_many(root: Path, user: Wallet, wallet: Wallet) -> list[SignedSchedule]:
    """Store ten processes with real signatures, large messages, and all kinds of unfinished work.

    The first is published, the next has a slot that is not, the next one that is not even
    signed, and so on.
    """
    schedules = [SignedSchedule(user, wallet, number) for number in range(10)]
    with open_writer(root, settings=LARGE) as journal:
        for number, schedule in enumerate(schedules):
            journal.append(schedule.published(1))
            item = message_item(user, schedule.process, 1, data="x" * 3000 + str(number))
            journal.keep_body(verify(item).message_id, Body("ans104", item))
            kinds = (schedule.published, schedule.stored, schedule.pinned)
            journal.append(kinds[number % 3](1, verify(item)))
    return schedules


def copy_of(root: Path, folder: Path) -> Path:
    """Copy a closed store, and let this machine write to the copy."""
    shutil.copytree(root, folder)
    adopt(folder)
    return folder


def require_whole(root: Path, shards: int, expected: Content) -> None:
    """Check that a store has so many shards, all of what it had, and nothing beside them."""
    assert verify_store(root, workers=0).problems == ()
    assert content(root) == expected
    manifest = require_manifest(Layout(root))
    assert manifest.shards == shards
    left = leftovers(root)
    assert left == []
    assert load_plan(root) is None
    for shard in range(shards):
        with open_writer(root, shard=shard, shards=shards, settings=LARGE) as journal:
            journal.require_space(1)


def leftovers(root: Path) -> list[str]:
    """Return what lies in a store beside its manifest, its shards and lock files."""
    manifest = require_manifest(Layout(root))
    layout = manifest.layout(root)
    known = {layout.manifest, *map(layout.shard, range(manifest.shards))}
    known |= {root / manifest.folder} if manifest.folder else set()
    found = {*root.iterdir(), *layout.shard(0).parent.iterdir()} - known
    return sorted(str(path.relative_to(root)) for path in found if path.suffix != ".lock")
