"""What a verification found: counts, and problems with the place they were found at."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from protocol.errors import SchedulerError
from protocol.ids import Id

MAX_PROBLEMS = 1000
"""Problems kept with their details; the rest are only counted."""

UNREADABLE = (
    SchedulerError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What reading a record can raise. A good digest says that a record is as it was written, not
that it holds what it should."""


class Fault(StrEnum):
    """What is wrong; the values are stable names for programs."""

    FILE = "file"
    """The database file is not sound, or its totals do not fit its records."""
    RECORD = "record"
    """A record is missing, does not match its digest, or says what it cannot say."""
    STRAY = "stray"
    """A record lies beyond the head of its process, or belongs to no process."""
    HEAD = "head"
    """A head, or what it says is left to do, does not fit the records."""
    CHAIN = "chain"
    """A link does not follow from the slot before."""
    TIME = "time"
    """A timestamp or block height is below the one of the slot before."""
    TERMS = "terms"
    """An assignment departs from what slot 0 fixed, or slot 0 from its own message."""
    SIGNATURE = "signature"
    """A signature of an assignment does not verify."""
    MESSAGE = "message"
    """A message is missing, damaged, unverifiable, or not the one for this slot."""
    INDEX = "index"
    """The index does not lead from a message to its first slot."""
    RECEIPT = "receipt"
    """A receipt is missing, or acknowledges something else."""
    UNCHECKED = "unchecked"
    """This part could not be checked."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        code: what kind of thing.
        detail: one sentence for a person.
        process: the process it concerns, or None.
        slot: the slot it concerns, or None.
    """

    code: Fault
    detail: str
    process: Id | None = None
    slot: int | None = None

    def __str__(self) -> str:
        place = "store" if self.process is None else f"process {self.process}"
        if self.slot is not None:
            place += f" slot {self.slot}"
        return f"{place}: {self.code}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a verification.

    Attributes:
        processes: heads read.
        assignments: signed assignments read.
        messages: messages read, one per slot.
        signatures: signatures verified, of assignments and of messages.
        receipts: receipts read.
        seconds: how long it took.
        problems: the first 1000 that were found, sorted by process and slot.
        problem_count: how many there are.
    """

    processes: int
    assignments: int
    messages: int
    signatures: int
    receipts: int
    seconds: float
    problems: tuple[Problem, ...]
    problem_count: int

    @property
    def ok(self) -> bool:
        """Whether everything was checked and nothing is wrong."""
        return not self.problem_count

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can carry: `ok`, the counts, and the problems with IDs as text."""
        return {
            "ok": self.ok,
            "processes": self.processes,
            "assignments": self.assignments,
            "messages": self.messages,
            "signatures": self.signatures,
            "receipts": self.receipts,
            "seconds": round(self.seconds, 3),
            "problem_count": self.problem_count,
            "problems": [_as_dict(problem) for problem in self.problems],
        }


@dataclass(slots=True)
class Findings:
    """What was found so far; each task has its own, and they are added up."""

    processes: int = 0
    assignments: int = 0
    messages: int = 0
    signatures: int = 0
    receipts: int = 0
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)

    def add(
        self, code: Fault, detail: str, process: Id | None = None, slot: int | None = None
    ) -> None:
        """Note a problem."""
        self.problem_count += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(code, detail, process, slot))

    def add_unreadable(
        self,
        error: Exception,
        process: Id | None = None,
        slot: int | None = None,
        code: Fault = Fault.RECORD,
    ) -> None:
        """Note something that could not be read; `error` is one of `UNREADABLE`."""
        if isinstance(error, SchedulerError):
            self.add(code, error.detail, process, slot)
        else:
            self.add(code, f"a record makes no sense: {error!r}", process, slot)

    def merge(self, other: Findings) -> None:
        """Add what another task found."""
        self.processes += other.processes
        self.assignments += other.assignments
        self.messages += other.messages
        self.signatures += other.signatures
        self.receipts += other.receipts
        self.problem_count += other.problem_count
        self.problems += other.problems[: MAX_PROBLEMS - len(self.problems)]

    def report(self, seconds: float) -> Report:
        """Return the outcome."""
        return Report(
            self.processes,
            self.assignments,
            self.messages,
            self.signatures,
            self.receipts,
            seconds,
            tuple(sorted(self.problems, key=_place)),
            self.problem_count,
        )


def _place(problem: Problem) -> tuple[bytes, int, str]:
    return problem.process or b"", -1 if problem.slot is None else problem.slot, problem.code


def _as_dict(problem: Problem) -> dict[str, Any]:
    return {
        "process": None if problem.process is None else str(problem.process),
        "slot": problem.slot,
        "code": problem.code.value,
        "detail": problem.detail,
    }
