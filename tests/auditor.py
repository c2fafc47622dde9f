"""The auditor: reads a store as a stranger would and says what it finds wrong."""

from __future__ import annotations

from collections.abc import Iterable

from protocol.assignment import Assignment
from protocol.chain import chain_rule
from protocol.ids import Id
from storage.journal import Reader, read_all


class AuditFailure(AssertionError):
    """The store breaks a guarantee; the message says which and where."""


def audit(reader: Reader, *, unique: bool = False) -> dict[Id, list[Assignment]]:
    """Check every process of the store; return its stored assignments.

    Args:
        reader: the store, by whatever implements it.
        unique: whether no message may hold two slots of one process, as it is while
            duplicates get the same slot or are refused.

    Raises:
        AuditFailure: a gap (S2), a broken chain (S3), a stored slot without its message
            (S4), time going back (S8), an index entry that leads elsewhere or a message
            with two slots (S13), or heads that do not fit their records.
    """
    return {process: audit_process(reader, process, unique=unique) for process in read_all(reader)}


def audit_process(reader: Reader, process: Id, *, unique: bool = False) -> list[Assignment]:
    """Check one process; return its stored assignments. Takes and raises what `audit` does."""
    head = reader.head(process)
    ordered = head.pinned >= head.stored >= head.published >= -1 and head.pinned >= 0
    _require(ordered, "S2", process, f"its heads are out of order: {head}")
    assignments = _read(reader, process)
    _require(len(assignments) == head.stored + 1, "S2", process, "slots are not 0..stored")
    pinned = reader.pinned(process, head.stored + 1, head.pinned)
    _require(len(pinned) == head.pinned - head.stored, "S2", process, "pinned slots are missing")
    run = [*assignments, *pinned]
    _check_run(process, run, head.terms.chain)
    _require(run[-1].link == head.link, "S3", process, "head and link differ")
    _check_messages(reader, process, run)
    held = {assignment.message_id for assignment in run}
    _require(not unique or len(held) == len(run), "S13", process, "a message has two slots")
    return assignments


def require_acknowledged(found: dict[Id, list[Assignment]], told: Iterable[Assignment]) -> None:
    """Check that everything that was acknowledged as stored is there, byte for byte (S4)."""
    for assignment in told:
        slots = found.get(assignment.process, [])
        _require(assignment.slot < len(slots), "S4", assignment.process, "an answer was lost")
        _require(slots[assignment.slot] == assignment, "S4", assignment.process, "bytes differ")


def require_no_equivocation(exposed: Iterable[Assignment]) -> None:
    """Check that no two exposed assignments give one slot two contents (S1)."""
    seen: dict[tuple[Id, int], Assignment] = {}
    for assignment in exposed:
        unsigned = assignment.signed(())
        key = assignment.process, assignment.slot
        _require(seen.setdefault(key, unsigned) == unsigned, "S1", *_place(assignment))


def require_kept(reader: Reader, exposed: Iterable[Assignment]) -> None:
    """Check that every exposed slot is still bound to the same committed fields (S6)."""
    for assignment in exposed:
        head = reader.head(assignment.process)
        _require(assignment.slot <= head.pinned, "S6", *_place(assignment))
        if assignment.slot <= head.stored:
            kept = reader.assignment(assignment.process, assignment.slot).signed(())
        else:
            kept = reader.pinned(assignment.process, assignment.slot, assignment.slot)[0]
        _require(kept == assignment.signed(()), "S1", *_place(assignment))


def _check_run(process: Id, run: list[Assignment], chain: str) -> None:
    rule, link, timestamp, height = chain_rule(chain), "", 0, 0
    for slot, assignment in enumerate(run):
        _require(assignment.slot == slot, "S2", process, f"slot {assignment.slot} stands at {slot}")
        before = run[slot - 1].id if rule.serial and slot else None
        link = rule.next(link, assignment.message_id, before)
        _require(assignment.link == link, "S3", process, f"link {slot} does not follow")
        forward = assignment.timestamp >= timestamp and assignment.block.height >= height
        _require(forward, "S8", process, f"slot {slot} goes back in time")
        timestamp, height = assignment.timestamp, assignment.block.height


def _check_messages(reader: Reader, process: Id, run: list[Assignment]) -> None:
    first: dict[Id, int] = {}
    for assignment in run:
        body = reader.body(assignment.message_id)
        _require(bool(body.encoded), "S4", process, f"slot {assignment.slot} has no message")
        slot = first.setdefault(assignment.message_id, assignment.slot)
        found = reader.slot_of(process, assignment.message_id)
        _require(found == slot, "S13", process, f"the index leads from slot {slot} to {found}")


def _read(reader: Reader, process: Id) -> list[Assignment]:
    assignments: list[Assignment] = []
    more = True
    while more:
        page = reader.page(process, len(assignments), None)
        assignments += page.assignments
        more = page.more
    return assignments


def _place(assignment: Assignment) -> tuple[Id, str]:
    return assignment.process, f"slot {assignment.slot} has two contents"


def _require(holds: bool, guarantee: str, process: Id, complaint: str) -> None:
    if not holds:
        raise AuditFailure(f"{guarantee}: process {process}: {complaint}")
