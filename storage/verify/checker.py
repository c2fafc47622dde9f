"""Runs tasks one after the other, wherever it lives: in a worker, or in the caller."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Self

from storage.opening import open_reader
from storage.reader import LmdbReader
from storage.verify.foundation import check_foundation
from storage.verify.part import check_part
from storage.verify.report import Fault, Findings
from storage.verify.survey import survey
from storage.verify.tasks import Batch, Foundation, Outcome, Page, Survey, Task


class Checker:
    """Opens each shard on first use, for reading; a context manager."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._readers: dict[int, LmdbReader] = {}
        self._open = ExitStack()

    def run(self, task: Task) -> Outcome:
        """Return what came of `task`. Nothing it meets in the store is raised."""
        findings = Findings()
        page: Page | None = None
        try:
            page = self._run(task, findings)
        except Exception as exc:
            # Whatever a damaged store leads to is a finding, and no reason to stop.
            findings.add(Fault.UNCHECKED, f"{task}: {exc}")
        return Outcome(findings, page, slots=task.slots if isinstance(task, Batch) else 0)

    def _run(self, task: Task, findings: Findings) -> Page | None:
        reader = self._reader(task.shard)
        match task:
            case Foundation():
                check_foundation(reader, findings)
            case Survey():
                with reader.snapshot() as snapshot:
                    return survey(snapshot, task, findings)
            case Batch():
                for part in task.parts:
                    check_part(reader, part, findings)
        return None

    def _reader(self, shard: int) -> LmdbReader:
        if shard not in self._readers:
            reader = self._open.enter_context(open_reader(self._root, shard=shard))
            self._readers[shard] = reader
        return self._readers[shard]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
