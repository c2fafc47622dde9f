"""Resharding from beginning to end, or from wherever it was interrupted to the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import lmdb

from protocol.errors import CorruptRecord, InvalidId, StoreFull, StoreInvalid, Unavailable
from storage.bodies import NO_ROOM
from storage.layout import MAX_SHARDS, Layout
from storage.lock import WriterLock
from storage.manifest import Manifest, require_manifest
from storage.opening import DEFAULTS
from storage.reshard.building import build
from storage.reshard.damage import Damaged
from storage.reshard.removal import built, give_up, remove_old
from storage.reshard.room import require_room
from storage.reshard.source import Source
from storage.reshard.steps import Announce, Outcome, Step
from storage.settings import StoreSettings
from storage.space import free_bytes
from storage.unfinished import Plan, how_to_go_on, load_plan
from storage.verify import Fault, Report, verify_store


def reshard(
    root: str | os.PathLike[str],
    shards: int,
    *,
    workers: int | None = None,
    announce: Announce | None = None,
    settings: StoreSettings = DEFAULTS,
) -> Outcome:
    """Give the store in `root` another number of shards; every record stays byte for byte.

    The new shards are built beside the old ones, verified like any store, and take their place
    in one step; only then do the old ones go. Readers are not disturbed until then. Killed at
    any point, the store has all its old shards or all its new ones, opens for reading, and
    refuses to open for writing until this is called again: with the same number it goes on
    where it was, with the old number, as long as that is what the store has, it gives up.
    Verification begins afresh.

    Args:
        root: folder of the store. Nobody may write to it meanwhile.
        shards: how many it shall have, 1 to 64.
        workers: OS processes to verify in, as in `verify_store`.
        announce: told in this thread what is done and how much of it is left.
        settings: as the store is opened with.

    Returns:
        Whether there was nothing to do, it was done, or an unfinished one was given up.

    Raises:
        StoreInUse: a program has the store open for writing.
        StoreInvalid: it is no store, is being resharded to another number, or does not verify;
            then it stays as it was and opens for writing as before.
        NeedsAdoption: it was moved, restored or copied.
        StoreFull: there is too little room; what was copied already stays.
        Unavailable: it cannot be read or written.
    """
    if not 1 <= shards <= MAX_SHARDS:
        raise StoreInvalid(f"a store has 1 to {MAX_SHARDS} shards, not {shards}")
    folder = Path(root)
    job = _Job(folder, shards, workers, announce or _unheard, settings)
    with _border(folder), _exclusive(folder, shards):
        return job.run()


class _Job:
    """One call of `reshard`, with all locks held."""

    def __init__(
        self,
        root: Path,
        shards: int,
        workers: int | None,
        announce: Announce,
        settings: StoreSettings,
    ) -> None:
        self._root = root
        self._shards = shards
        self._workers = workers
        self._announce = announce
        self._settings = settings

    def run(self) -> Outcome:
        manifest, plan = require_manifest(Layout(self._root)), load_plan(self._root)
        if plan is not None and manifest == plan.after:
            remove_old(self._root, plan, self._announce)
            if manifest.shards == self._shards:
                return Outcome.DONE
            plan = None
        self._require_fitting(manifest, plan)
        if manifest.shards == self._shards:
            if plan is None:
                return Outcome.NOTHING
            give_up(self._root, plan)
            return Outcome.GIVEN_UP
        plan = self._verified(manifest, plan)
        self._announce(Step.REPLACING, 0, 1)
        # The one step that counts. A crash before it leaves the old shards in use, after it the
        # new ones, and both are whole.
        plan.after.save(Layout(self._root))
        remove_old(self._root, plan, self._announce)
        return Outcome.DONE

    def _require_fitting(self, manifest: Manifest, plan: Plan | None) -> None:
        if plan is None:
            return
        if manifest != plan.before:
            raise StoreInvalid(f"{self._root} holds the plan of another store's resharding")
        if self._shards not in (plan.before.shards, plan.after.shards):
            raise StoreInvalid(
                f"{self._root} is being resharded already: {how_to_go_on(plan, manifest)}"
            )

    def _verified(self, manifest: Manifest, plan: Plan | None) -> Plan:
        """Return a plan whose new shards are whole and in order."""
        with ExitStack() as opened:
            layout = manifest.layout(self._root)
            sources = [
                opened.enter_context(Source(layout, shard, manifest.shards, self._settings))
                for shard in range(manifest.shards)
            ]
            plan = self._begun(manifest, plan, sources)
            if plan.verified:
                return plan
            try:
                build(self._root, plan, sources, self._settings, self._announce)
                return self._verify(plan)
            except (Damaged, CorruptRecord, InvalidId) as exc:
                give_up(self._root, plan)
                raise StoreInvalid(
                    f"{self._root} cannot be resharded, and stays as it was: {exc}"
                ) from exc

    def _begun(self, manifest: Manifest, plan: Plan | None, sources: list[Source]) -> Plan:
        """Return the plan to follow: the one that is there, if what was built for it counts."""
        if plan is not None:
            owners = tuple(source.owner for source in sources)
            if plan.owners == owners and built(self._root, plan):
                return plan
            give_up(self._root, plan)
        require_room(self._root, sources, 0, self._settings.min_free_bytes)
        for number, source in enumerate(sources):
            self._announce(Step.CHECKING, number, len(sources))
            source.check()
        for source in sources:
            source.take()
        owners = tuple(source.owner for source in sources)
        plan = Plan(manifest, Manifest(self._shards, manifest.next_folder()), owners)
        plan.save(self._root)
        return plan

    def _verify(self, plan: Plan) -> Plan:
        # With a manifest of its own the folder is a store like any other.
        folder = self._root / plan.after.folder
        Manifest(plan.after.shards).save(Layout(folder))

        def progress(done: int, total: int) -> None:
            self._announce(Step.VERIFYING, done, total)

        report = verify_store(folder, workers=self._workers, progress=progress)
        if not report.ok:
            _complain(report)
        plan = replace(plan, verified=True)
        plan.save(self._root)
        return plan


def _complain(report: Report) -> NoReturn:
    complaint = f"{report.problem_count} problems, the first: {report.problems[0]}"
    # Workers that are killed, for want of memory perhaps, say nothing about what they checked.
    if all(problem.code is Fault.UNCHECKED for problem in report.problems):
        raise Unavailable(f"the new shards could not be verified: {complaint}")
    raise Damaged(complaint)


@contextmanager
def _exclusive(root: Path, shards: int) -> Iterator[None]:
    """Keep every writer out: of the shards that are there, and of those that will be."""
    # Looked at before, so that no lock file is left in a folder that is no store; and again once
    # the first lock is ours, which whoever replaces the manifest must have.
    require_manifest(Layout(root))
    with ExitStack() as held:
        held.callback(WriterLock(Layout(root).lock(0)).release)
        for number in range(1, max(shards, require_manifest(Layout(root)).shards)):
            held.callback(WriterLock(Layout(root).lock(number)).release)
        yield


@contextmanager
def _border(root: Path) -> Iterator[None]:
    """Turn errors of the system and of the database into ours."""
    try:
        yield
    except Damaged as exc:
        raise StoreInvalid(f"{root} cannot be resharded, and stays as it was: {exc}") from exc
    except (OSError, lmdb.Error) as exc:
        code = exc.errno if isinstance(exc, OSError) else exc.code
        # LMDB says of a full disk that writing failed, and not why.
        if code in NO_ROOM or free_bytes(root) < 1 << 20:
            raise StoreFull(f"no room is left in {root}: make room, then go on") from exc
        raise Unavailable(f"cannot reshard {root}: {exc}") from exc


def _unheard(_step: Step, _done: int, _total: int) -> None:
    """Nobody listens."""
