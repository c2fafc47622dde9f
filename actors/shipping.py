"""Shipping: turn stored slots into items, offer them to the uploader, collect receipts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from actors.clock import Clock, system_clock
from actors.events import log
from actors.flight import Flight
from actors.observer import NOBODY, Observer
from actors.outbox import Slot
from actors.probe import Point, Probe, no_probe
from actors.stages import Stage
from actors.uploader import Outcome, Upload, Uploader
from actors.wrapping import Wrapper
from protocol.assignment import Assignment
from protocol.codecs.assignment import published
from protocol.codecs.carrier import Carried
from protocol.commitment import HTTPSIG
from protocol.errors import SchedulerError, UploadFailed, UploadRefused
from protocol.ids import Id
from protocol.message import Message
from storage.journal import ITEM_CODEC, Body, Reader, Receipt

MAX_PARCEL_BYTES = 16 << 20
"""Bytes offered to the uploader in one call: what one upload may hold in memory."""


MAX_RECENT = 4096
"""Slots kept in memory because they were stored a moment ago and are uploaded next."""

MAX_RECENT_BYTES = 4096
"""Longest message kept with its slot; longer ones are read back."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """How the upload of one slot ended."""

    slot: Slot
    outcome: Receipt | UploadFailed | UploadRefused


@dataclass(frozen=True, slots=True)
class Parcel:
    """The items of one slot: the message, and the assignment, once per signer if it is an item.

    What is no data item stands in one.
    """

    assignment: Assignment
    message: Upload
    assignments: Sequence[Upload]

    @property
    def slot(self) -> Slot:
        """Which slot it is."""
        return self.assignment.process, self.assignment.slot


class Shipper:
    """Upload slots: all messages first, then the assignments of those that were taken."""

    def __init__(
        self,
        journal: Reader,
        uploader: Uploader,
        wrapper: Wrapper,
        clock: Clock = system_clock,
        probe: Probe = no_probe,
        observer: Observer = NOBODY,
    ) -> None:
        self._journal = journal
        self._uploader = uploader
        self._atomic = getattr(uploader, "atomic", False) is True
        self._wrapper = wrapper
        self._clock = clock
        self._probe = probe
        self._observer = observer
        # Filled by the committer, emptied by the uploading threads.
        self._recent: dict[Slot, tuple[Assignment, Body | None]] = {}

    def remember(self, flight: Flight) -> None:
        """Take over what has just been stored, to save reading it back."""
        body, flight.body = flight.body, None
        if body and len(body.encoded) > MAX_RECENT_BYTES:
            body = None
        if len(self._recent) >= MAX_RECENT:
            # The bundler is away, or these were shipped just before they were remembered.
            self._recent.clear()
        self._recent[flight.process, flight.slot] = flight.assignment, body

    def ship(self, slots: Sequence[Slot]) -> list[Shipped]:
        """Upload the slots; return one outcome for each, in no particular order."""
        results: list[Shipped] = []
        for parcels in self._pack(slots, results):
            results += self._send(parcels)
        return results

    def _pack(self, slots: Sequence[Slot], unreadable: list[Shipped]) -> Iterator[list[Parcel]]:
        parcels: list[Parcel] = []
        size = 0
        for slot in slots:
            try:
                parcel = self._parcel(slot)
            except UploadFailed as exc:
                unreadable.append(Shipped(slot, exc))
                continue
            except SchedulerError as exc:
                # What cannot be read will not be readable in a second: ask for an operator.
                unreadable.append(Shipped(slot, UploadRefused(f"{exc.code}: {exc.detail}")))
                continue
            parcels.append(parcel)
            size += len(parcel.message.item)
            if size >= MAX_PARCEL_BYTES:
                yield parcels
                parcels, size = [], 0
        if parcels:
            yield parcels

    def _parcel(self, slot: Slot) -> Parcel:
        assignment, body = self._recent.pop(slot, (None, None))
        assignment = assignment or self._journal.assignment(*slot)
        body = body or self._journal.body(assignment.message_id)
        return Parcel(assignment, self._message(assignment, body), self._assignments(assignment))

    def _message(self, assignment: Assignment, body: Body) -> Upload:
        if body.codec == ITEM_CODEC:
            return Upload(assignment.message_id, "message", body.encoded)
        kind = Message.decode(body.encoded, body.codec).keys.get(b"type", b"")
        return self._wrapped(assignment, "message", kind, assignment.message_id, body.encoded)

    def _assignments(self, assignment: Assignment) -> list[Upload]:
        encoded = published(assignment)
        if assignment.commitments[0].device == HTTPSIG:
            return [
                self._wrapped(assignment, "assignment", b"Assignment", *each) for each in encoded
            ]
        return [Upload(identity, "assignment", item) for identity, item in encoded]

    def _wrapped(
        self,
        assignment: Assignment,
        kind: Literal["message", "assignment"],
        shown: bytes,
        identity: Id,
        content: bytes,
    ) -> Upload:
        carried = Carried(identity, content)
        item = self._wrapper.wrap(carried, shown, assignment.commitments[0].committer)
        return Upload(item.id, kind, item.encode(), carries=identity)

    def _send(self, parcels: Sequence[Parcel]) -> list[Shipped]:
        if log.informs:
            for parcel in parcels:
                log.slot("uploading", parcel.assignment, stage="stored")
        outcomes = self._together(parcels) if self._atomic else self._in_turn(parcels)
        self._probe(Point.AFTER_UPLOAD)
        return [Shipped(parcel.slot, self._judge(parcel, outcomes)) for parcel in parcels]

    def _together(self, parcels: Sequence[Parcel]) -> dict[Id, Outcome]:
        messages = [parcel.message for parcel in parcels]
        return self._offer(
            [*messages, *(each for parcel in parcels for each in parcel.assignments)]
        )

    def _in_turn(self, parcels: Sequence[Parcel]) -> dict[Id, Outcome]:
        messages = self._offer([parcel.message for parcel in parcels])
        taken = [parcel for parcel in parcels if isinstance(messages[parcel.message.id], str)]
        items = [upload for parcel in taken for upload in parcel.assignments]
        return messages | (self._offer(items) if items else {})

    def _offer(self, uploads: Sequence[Upload]) -> dict[Id, Outcome]:
        began = time.monotonic()
        outcomes = self._answers(uploads)
        taken = sum(isinstance(outcome, str) for outcome in outcomes.values())
        self._observer.uploaded(len(outcomes), taken, time.monotonic() - began)
        return outcomes

    def _answers(self, uploads: Sequence[Upload]) -> dict[Id, Outcome]:
        try:
            outcomes = self._uploader.upload(uploads)
            pairs = zip(uploads, outcomes, strict=True)
            return {upload.id: _believable(outcome) for upload, outcome in pairs}
        except (UploadFailed, UploadRefused) as exc:
            return {upload.id: exc for upload in uploads}
        except Exception as exc:
            log.exception("uploader_broken")
            return {upload.id: UploadFailed(f"the uploader broke: {exc!r}") for upload in uploads}

    def _judge(
        self, parcel: Parcel, outcomes: dict[Id, Outcome]
    ) -> Receipt | UploadFailed | UploadRefused:
        acknowledged: list[tuple[Id, str]] = []
        carriers: list[tuple[Id, Id]] = []
        for upload in (parcel.message, *parcel.assignments):
            outcome = outcomes[upload.id]
            if not isinstance(outcome, str):
                return outcome
            acknowledged.append((upload.carries or upload.id, outcome))
            if upload.carries is not None:
                carriers.append((upload.carries, upload.id))
        process, slot = parcel.slot
        try:
            now = self._clock()
            receipt = Receipt(process, slot, now, tuple(acknowledged), tuple(carriers))
        except Exception as exc:
            return UploadFailed(f"the clock failed: {exc!r}")
        seconds = max(0, now - parcel.assignment.timestamp) / 1000
        self._observer.reached(Stage.PUBLISHED, seconds)
        return receipt


def _believable(outcome: object) -> Outcome:
    # The uploader is not ours: what it answers is neither stored nor raised unseen.
    if isinstance(outcome, str) and _encodable(outcome):
        return outcome
    if isinstance(outcome, UploadFailed | UploadRefused):
        return outcome
    return UploadFailed(f"the uploader answered {ascii(outcome)[:80]}")


def _encodable(text: str) -> bool:
    # Half of a surrogate pair cannot be written to the store.
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
