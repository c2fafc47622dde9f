"""Verify a whole store, or one process, on all cores."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

from protocol.errors import NotFound, Unavailable
from protocol.ids import Id
from storage.layout import Layout
from storage.manifest import require_manifest
from storage.verify.crew import run_here, run_in_workers
from storage.verify.plan import Plan
from storage.verify.report import Findings, Report
from storage.verify.tasks import Outcome

Progress = Callable[[int, int], None]
Outcomes = Generator[Outcome, None, None]


def verify_store(
    root: str | os.PathLike[str],
    process: Id | None = None,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Check everything that the store in `root` promises, from its records alone.

    Per process: slots without a gap, the chain from slot 0, times that never go back, every
    signature of every assignment and message, heads, index, receipts, and no record that
    no head accounts for. For the whole store also the database file, page by page.

    Reads beside a running writer; what that appends meanwhile may be left out. Damage of
    any kind is reported, not raised.

    Args:
        root: folder of the store.
        process: check this one only.
        workers: OS processes to check in, by default one per core. 0 checks in this one:
            for stores that are not damaged and not open here.
        progress: called in this thread with the slots done and the slots there are.

    Raises:
        StoreInvalid: the folder is no store, or of a newer format.
        NotFound: there is no such process.
        Unavailable: workers cannot be started, or the store was resharded meanwhile.
    """
    started = time.monotonic()
    folder = Path(root).absolute()
    manifest = require_manifest(Layout(folder))
    plan = Plan(manifest.shards, process)
    findings = Findings()
    with closing(_outcomes(folder, plan, workers)) as outcomes:
        for outcome in outcomes:
            findings.merge(outcome.findings)
            plan.take_in(outcome)
            if progress is not None:
                progress(plan.done, plan.total)
    if require_manifest(Layout(folder)) != manifest:
        raise Unavailable(f"{folder} was resharded meanwhile: verify it again")
    if process is not None and not findings.processes and not findings.problem_count:
        raise NotFound(f"process {process} is not in this store")
    if progress is not None:
        progress(plan.total, plan.total)
    return findings.report(time.monotonic() - started)


def _outcomes(root: Path, plan: Plan, workers: int | None) -> Outcomes:
    if workers == 0:
        return run_here(root, plan)
    return run_in_workers(root, plan, workers or len(os.sched_getaffinity(0)))
