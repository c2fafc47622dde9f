"""The survey: heads against their own records, and records that no head accounts for."""

from __future__ import annotations

from collections.abc import Mapping

from protocol.ids import ID_BYTES, Id
from storage.continuity import work_of
from storage.journal import Head
from storage.records import unpack_head, unpack_work
from storage.sealing import corrupt
from storage.snapshot import Snapshot
from storage.tables import COMMITMENTS, HEADS, INDEX, RECEIPTS, SLOTS, WORK, index_key, slot_key
from storage.verify.report import UNREADABLE, Fault, Findings
from storage.verify.tasks import Page, Size, Survey

SURVEY_HEADS = 1000
"""Heads in one survey: more would hold its read transaction open for too long."""

_TABLES = (SLOTS, COMMITMENTS, RECEIPTS, INDEX, WORK)
_LAST_ID = Id(b"\xff" * ID_BYTES)
_END = b"\xff" * (2 * ID_BYTES + 1)
"""Above every key."""

Lows = Mapping[bytes, bytes]
"""Per table, the highest key that a head accounts for."""


def survey(snapshot: Snapshot, task: Survey, findings: Findings) -> Page:
    """Check the heads of a page, and that nothing lies between what they account for.

    Everything is compared within one transaction, so a writer can go on meanwhile.

    Returns:
        The processes to check slot by slot, up to the slot that is pinned now.
    """
    heads, end, more = _heads(snapshot, task)
    kept = snapshot.count(SLOTS)
    if task.after is None:
        before = task.only or b""
        _check_strays(snapshot, dict.fromkeys(_TABLES, before), [*heads, end][0], findings)
    sizes: list[Size] = []
    for (process, record), following in zip(heads.items(), [*heads, end][1:], strict=True):
        findings.processes += 1
        try:
            head = unpack_head(process, record)
            _check_head(snapshot, head, kept, findings)
            sizes.append(Size(process, min(head.pinned + 1, kept)))
            lows = _accounted_for(head)
        except UNREADABLE as exc:
            findings.add_unreadable(exc, process)
            lows = dict.fromkeys(_TABLES, index_key(process, _LAST_ID))
        _check_strays(snapshot, lows, following, findings)
    last = list(heads)[-1] if more else None
    total = sum(size.slots for size in sizes) if task.only else kept
    return Page(task.shard, sizes, last, total)


def _heads(snapshot: Snapshot, task: Survey) -> tuple[dict[Id, bytes], bytes, bool]:
    """The records of a page, the key where its range ends, and whether more follow."""
    if task.only is not None:
        record = snapshot.get(HEADS, task.only)
        heads = {} if record is None else {task.only: record}
        return heads, index_key(task.only, _LAST_ID), False
    found = snapshot.above(HEADS, task.after, SURVEY_HEADS + 1)
    heads = {Id(key): record for key, record in found[:SURVEY_HEADS]}
    more = len(found) > SURVEY_HEADS
    return heads, found[SURVEY_HEADS][0] if more else _END, more


def _check_head(snapshot: Snapshot, head: Head, kept: int, findings: Findings) -> None:
    def wrong(detail: str) -> None:
        findings.add(Fault.HEAD, detail, head.process, head.pinned)

    if not -1 <= head.published <= head.stored <= head.pinned:
        wrong(f"published {head.published}, stored {head.stored}, pinned {head.pinned}")
    if head.pinned >= kept:
        wrong(f"the head says slot {head.pinned}, the shard holds {kept} slots")
    else:
        _check_end(snapshot, head, findings)
    if not _work_fits(snapshot, head):
        wrong("what the store lists as left to do is not what the head says")


def _check_end(snapshot: Snapshot, head: Head, findings: Findings) -> None:
    """Compare the head with its highest slot; whoever checks that slot reports a damaged one."""
    try:
        (end,) = snapshot.pinned_run(head.process, head.pinned, head.pinned)
    except UNREADABLE:
        return
    if (head.link, head.timestamp, head.block) != (end.link, end.timestamp, end.block):
        findings.add(
            Fault.HEAD, "the head does not repeat its highest slot", head.process, head.pinned
        )


def _work_fits(snapshot: Snapshot, head: Head) -> bool:
    record = snapshot.get(WORK, head.process)
    try:
        return (record and unpack_work(head.process, record)) == work_of(head)
    except UNREADABLE:
        return False


def _accounted_for(head: Head) -> Lows:
    process = head.process
    return {
        SLOTS: _slots_end(process, head.pinned),
        COMMITMENTS: _slots_end(process, head.stored),
        RECEIPTS: _slots_end(process, head.published),
        INDEX: index_key(process, _LAST_ID),
        WORK: process,
    }


def _slots_end(process: Id, last: int) -> bytes:
    return slot_key(process, last) if last >= 0 else process


def _check_strays(snapshot: Snapshot, lows: Lows, high: bytes, findings: Findings) -> None:
    """Report what lies between `lows` and `high` (both exclusive), once per process."""
    for table, low in lows.items():
        after = low
        while (key := _next_key(snapshot, table, after)) is not None and key < high:
            _add_stray(table, key, low, findings)
            after = key[:ID_BYTES] + _END


def _next_key(snapshot: Snapshot, table: bytes, after: bytes) -> bytes | None:
    found = snapshot.above(table, after, 1)
    if not found:
        return None
    key = found[0][0]
    if key <= after:
        # In a damaged tree a search may go back, and would go round for ever.
        raise corrupt(table, key, "is out of order")
    return key


def _add_stray(table: bytes, key: bytes, low: bytes, findings: Findings) -> None:
    process = Id(key[:ID_BYTES].ljust(ID_BYTES, b"\0"))
    slot = int.from_bytes(key[ID_BYTES:], "big") if len(key) == len(slot_key(process, 0)) else None
    beyond = low.startswith(process)
    why = "lies beyond the head" if beyond else "belongs to no process of this store"
    findings.add(Fault.STRAY, f"a {table.decode()} record {why}", process, slot)
