"""Everything that senders were told, held against what is found on disk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from actors import Stage
from actors.uploader import FolderUploader
from protocol.assignment import Assignment
from protocol.codecs import ans104
from protocol.codecs.assignment import published, published_ids
from protocol.codecs.carrier import carried_by
from protocol.commitment import HTTPSIG
from protocol.ids import Id
from storage import Head, Reader, open_readers
from storage.journal import ITEM_CODEC
from tests.auditor import (
    AuditFailure,
    audit,
    require_acknowledged,
    require_kept,
    require_no_equivocation,
)
from tests.crash.telling import Failed, Record, Told

Found = dict[Id, list[Assignment]]


class Testimony:
    """What was told about a store over all its lives; more is added, nothing forgotten."""

    __test__ = False

    def __init__(self, root: Path) -> None:
        self.root = root
        # In the order in which it was told; what was told again stands once.
        self._told: dict[Told, None] = {}

    def hear(self, records: Iterable[Record]) -> None:
        """Take what a program told."""
        for record in records:
            if isinstance(record, Failed):
                raise AuditFailure(f"L1: {record} though nothing was wrong")
            if isinstance(record, Told):
                self._told[record] = None

    def told(self, stage: Stage) -> list[Assignment]:
        """Every assignment that was called `stage`, or more."""
        return [told.assignment for told in self._told if told.stage >= stage]

    def judge(self) -> dict[Id, Head]:
        """Read the store, beside no writer, and hold it against what was told.

        Returns:
            Where each process stands.

        Raises:
            AuditFailure: a guarantee is broken; says what was told and what was found.
        """
        if not self._told and not (self.root / "manifest.json").exists():
            return {}
        with open_readers(self.root) as reader:
            heads = {process: reader.head(process) for process in reader.processes()}
            with self._explained(heads):
                self._judge_answers()
                found = audit(reader, unique=True)
                require_no_equivocation(self.told(Stage.ASSIGNED))
                require_kept(reader, self.told(Stage.ASSIGNED))
                require_acknowledged(found, self.told(Stage.STORED))
                self._judge_receipts(reader, found, heads)
                self._judge_folder(reader, found)
        return heads

    def _judge_answers(self) -> None:
        """An item has one slot, whoever asks, and the answer is about that item."""
        slots: dict[Id, int] = {}
        for told in self._told:
            same = told.assignment.message_id == told.item
            _require(same, "S13", f"item {told.item} was answered with another message")
            slot = slots.setdefault(told.item, told.assignment.slot)
            one = slot == told.assignment.slot
            _require(one, "S13", f"item {told.item} has slots {slot} and {told.assignment.slot}")

    def _judge_receipts(self, reader: Reader, found: Found, heads: dict[Id, Head]) -> None:
        """What was called published has the receipt of exactly these bytes, and all before it."""
        for assignment in self.told(Stage.PUBLISHED):
            published = heads[assignment.process].published
            _require(assignment.slot <= published, "S5", f"slot {assignment.slot} has no receipt")
        there = {item for item, _ in _published(self.root)}
        for process, head in heads.items():
            for assignment in found[process][: head.published + 1]:
                receipt = reader.receipt(process, assignment.slot)
                named = [item for item, _ in receipt.items] if receipt else []
                right = named == [assignment.message_id, *published_ids(assignment)]
                _require(right, "S5", f"slot {assignment.slot} has another receipt: {receipt}")
                carriers = dict(receipt.carriers)
                wrapped = {assignment.id} if _is_wrapped(assignment) else set()
                if reader.body(assignment.message_id).codec != ITEM_CODEC:
                    wrapped.add(assignment.message_id)
                _require(carriers.keys() == wrapped, "S5", f"{receipt} names other carriers")
                for item in (carriers.get(each, each) for each in named):
                    _require(
                        item in there,
                        "S5",
                        f"item {item} of slot {assignment.slot} is not published",
                    )

    def _judge_folder(self, reader: Reader, found: Found) -> None:
        """What was published is what is stored, to the byte."""
        expected: dict[str, bytes] = {}
        for assignment in (each for run in found.values() for each in run):
            expected[str(assignment.message_id)] = reader.body(assignment.message_id).encoded
            expected |= {str(identity): encoded for identity, encoded in published(assignment)}
        for item, encoded in _published(self.root):
            name, content = str(item), encoded
            if name not in expected:
                name, content = _carried(encoded)
            _require(name in expected, "S1", f"{item} was published, but no slot holds it")
            same = content == expected[name]
            _require(same, "S4", f"{item} was published with other bytes than are stored")

    @contextmanager
    def _explained(self, heads: dict[Id, Head]) -> Iterator[None]:
        try:
            yield
        except Exception as exc:
            exc.add_note(f"told:\n{self._summary()}")
            places = (f"  {h.process}: {h.pinned} {h.stored} {h.published}" for h in heads.values())
            exc.add_note("found (process: pinned, stored, published):\n" + "\n".join(places))
            raise

    def _summary(self) -> str:
        slots: dict[tuple[Id, Stage], set[int]] = defaultdict(set)
        for told in self._told:
            slots[told.assignment.process, told.stage].add(told.assignment.slot)
        lines = (f"  {each[0]} {each[1].name}: {sorted(slots[each])}" for each in sorted(slots))
        return "\n".join(lines) or "  nothing"

    def __repr__(self) -> str:
        return f"<Testimony of {len(self._told)} answers>"


def _published(root: Path) -> Iterator[tuple[Id, bytes]]:
    return FolderUploader(root / "published").items()


def _is_wrapped(assignment: Assignment) -> bool:
    return assignment.commitments[0].device == HTTPSIG


def _carried(item: bytes) -> tuple[str, bytes]:
    # An item that was signed again, after a crash or a failure, carries the same all the same.
    parsed = ans104.parse(item)
    _require(parsed.verify(), "S4", f"item {parsed.id} does not verify")
    identity, content = carried_by(parsed)
    return str(identity), content


def _require(holds: bool, guarantee: str, complaint: str) -> None:
    if not holds:
        raise AuditFailure(f"{guarantee}: {complaint}")
