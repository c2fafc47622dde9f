"""The crew: as many workers as there is work for, replaced when they die."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from multiprocessing.connection import wait
from pathlib import Path

from storage.verify.checker import Checker
from storage.verify.plan import Plan
from storage.verify.report import Fault, Findings
from storage.verify.tasks import Batch, Outcome, Task
from storage.verify.worker import Died, Worker

MAX_DEATHS = 50
"""Workers that may die before the rest of the store is left unchecked: each costs a start."""


def run_here(root: Path, plan: Plan) -> Generator[Outcome, None, None]:
    """Run the plan in this OS process, which must not have the store open.

    Each outcome has to go into the plan before the next is asked for. A damaged database
    file can end this process.
    """
    with Checker(root) as checker:
        while (task := plan.next()) is not None:
            yield checker.run(task)


def run_in_workers(root: Path, plan: Plan, limit: int) -> Generator[Outcome, None, None]:
    """Run the plan in up to `limit` workers, each started when there is a task for it.

    Each outcome has to go into the plan before the next is asked for.

    Raises:
        Unavailable: workers cannot be started.
    """
    crew = _Crew(root, limit)
    try:
        while crew.hand_out(plan):
            yield from crew.collect()
            if crew.deaths >= MAX_DEATHS:
                detail = f"{crew.deaths} workers died; the rest is left unchecked"
                yield _unchecked(None, detail)
                return
    finally:
        crew.dismiss()


class _Crew:
    def __init__(self, root: Path, limit: int) -> None:
        self.deaths = 0
        self._root = root
        self._limit = limit
        self._idle: list[Worker] = []
        self._busy: list[Worker] = []

    def hand_out(self, plan: Plan) -> bool:
        """Give out tasks as far as there are any and hands for them; tell whether any is due."""
        while self._idle or len(self._busy) < self._limit:
            task = plan.next()
            if task is None:
                break
            worker = self._idle.pop() if self._idle else Worker(self._root)
            self._busy.append(worker)
            worker.give(task)
        return bool(self._busy)

    def collect(self) -> Iterator[Outcome]:
        """Wait for an answer, and yield all that have come."""
        ready = wait([worker.connection for worker in self._busy])
        for worker in [worker for worker in self._busy if worker.connection in ready]:
            self._busy.remove(worker)
            task = worker.task
            try:
                outcome = worker.answer()
            except Died as exc:
                self.deaths += 1
                outcome = _after_death(task, exc)
            else:
                self._idle.append(worker)
            yield outcome

    def dismiss(self) -> None:
        """End every worker, and wait until it has ended."""
        for worker in [*self._idle, *self._busy]:
            worker.end()


def _after_death(task: Task | None, died: Died) -> Outcome:
    """Try the parts of a batch one by one; for less than that there is no second try."""
    smaller = task.split() if task is not None else ()
    if smaller:
        return Outcome(again=smaller)
    return _unchecked(task, f"{task}: {died}")


def _unchecked(task: Task | None, detail: str) -> Outcome:
    findings = Findings()
    if isinstance(task, Batch):
        (part,) = task.parts
        findings.add(Fault.UNCHECKED, detail, part.process, part.first)
        return Outcome(findings, slots=task.slots)
    findings.add(Fault.UNCHECKED, detail)
    return Outcome(findings)
