"""What another scheduler sent, checked as a stranger would: slot by slot, from what is proven."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from protocol.assignment import Assignment
from protocol.binding import bindings
from protocol.chain import chain_rule
from protocol.codecs import assignment as assignments
from protocol.entry import Entry
from protocol.errors import InvalidInput, UntrustedSchedule
from protocol.ids import Id
from protocol.signed import require_signed


def check(
    process: Id,
    entries: Sequence[Entry],
    after: Entry | None,
    process_keys: Mapping[bytes, bytes],
) -> None:
    """Insist that `entries` are slots of a process as one of its schedulers gave them.

    Every slot is signed by schedulers that the process names and by nobody else, follows
    the one before without a gap and by the same chain rule, and holds the very message it
    names, signed by its sender. Times are not compared: another scheduler's clock may go back.

    Args:
        process: ID of the process.
        entries: in slot order.
        after: the verified entry before the first one. None at slot 0; elsewhere None takes
            the first link from its signature alone, and what came before it stays unproven.
        process_keys: committed keys of the process message, in lower case.

    Raises:
        UntrustedSchedule: something is not so; the message names the slot.
    """
    named = frozenset(binding.address for binding in bindings(process_keys))
    before = after
    for entry in entries:
        try:
            _check_place(process, entry, before)
            _check_signers(entry.assignment, named)
        except (InvalidInput, ValueError) as exc:
            raise _untrusted(entry, str(exc)) from exc
        before = entry
    # Signatures last: they cost a thousand times more than all else.
    for entry in entries:
        _check_signatures(entry)


def check_opening(process: Id, entry: Entry) -> None:
    """Insist that an entry is slot 0 of a process: its own message. Raises as `check`."""
    if entry.assignment.slot != 0:
        raise _untrusted(entry, "it stands where slot 0 should")
    check(process, [entry], None, entry.message.keys)


def check_link(entry: Entry, before: Entry) -> None:
    """Insist that two verified slots follow each other. Raises as `check`."""
    try:
        _check_place(before.assignment.process, entry, before)
    except (InvalidInput, ValueError) as exc:
        raise _untrusted(entry, str(exc)) from exc


def _check_place(process: Id, entry: Entry, before: Entry | None) -> None:
    assignment = entry.assignment
    if assignment.process != process:
        raise ValueError(f"it belongs to process {assignment.process}")
    if assignment.message_id != entry.message.id:
        raise ValueError(f"it comes with message {entry.message.id}, not with the one it names")
    if assignment.slot == 0:
        _check_first(process, entry)
    elif before is not None:
        _check_follows(assignment, before.assignment)


def _check_first(process: Id, entry: Entry) -> None:
    assignment = entry.assignment
    if assignment.message_id != process or entry.message.keys.get(b"type") != b"Process":
        raise ValueError("it does not hold the process itself")
    if assignment.link != chain_rule(assignment.chain).next("", process, None):
        raise ValueError("its link is not that of a beginning")


def _check_follows(assignment: Assignment, before: Assignment) -> None:
    if assignment.slot != before.slot + 1:
        raise ValueError(f"it comes after slot {before.slot}")
    if (assignment.chain, assignment.variant) != (before.chain, before.variant):
        raise ValueError("its chain rule or its variant is not that of the slot before")
    rule = chain_rule(assignment.chain)
    if assignment.link != rule.next(before.link, assignment.message_id, before.id):
        raise ValueError("its link does not follow from the slot before")


def _check_signers(assignment: Assignment, named: Collection[Id]) -> None:
    signers = {commitment.committer for commitment in assignment.commitments}
    if not signers:
        raise ValueError("nobody signed it")
    if not signers <= set(named):
        raise ValueError("a scheduler signed it that the process does not name")


def _check_signatures(entry: Entry) -> None:
    try:
        assignments.verify(entry.assignment)
    except InvalidInput as exc:
        raise _untrusted(entry, exc.detail) from exc
    try:
        require_signed(entry.message)
    except InvalidInput as exc:
        raise _untrusted(entry, f"its message: {exc.detail}") from exc


def _untrusted(entry: Entry, why: str) -> UntrustedSchedule:
    assignment = entry.assignment
    return UntrustedSchedule(f"slot {assignment.slot} of {assignment.process}: {why}")
