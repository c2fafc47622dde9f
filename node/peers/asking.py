"""Questions to another scheduler, in the protocol that it speaks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from node.peers.client import Answer, Client, Headers
from node.peers.finding import Elsewhere
from node.peers.reasons import reason
from protocol.assignment import LEGACY_VARIANT
from protocol.codecs.wire import Wire
from protocol.entry import Entries
from protocol.errors import (
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    PeerFailed,
    PeerRefused,
    UntrustedSchedule,
)
from protocol.foreign import aos2, bundle, legacy
from protocol.ids import Id
from protocol.message import Verified
from storage.journal import PAGE_LIMIT

MAX_SLOTS = PAGE_LIMIT + 1
"""Slots taken from one reply: HyperBEAM sends one more than a page."""
PSEUDONYM = "ao-scheduler"
VIA = (b"via", f"1.1 {PSEUDONYM}".encode())
"""Of every question: who is asked by one of us passes it on to nobody. RFC 9110, 7.6.3."""
_BUNDLE = ((b"accept-bundle", b"true"),)
_AOS2 = ((b"accept", b"application/aos-2"),)
_ITEM = ((b"content-type", b"application/ans104"), (b"codec-device", b"ans104@1.0"))


@dataclass(frozen=True, slots=True)
class Given:
    """What a scheduler says that a message got.

    Attributes:
        slot: its place in the schedule.
        confirmation: the stage that was reached, by its name over HTTP, or empty if the
            scheduler does not say.
    """

    slot: int
    confirmation: str = ""


class Asking:
    """Ask schedulers of variants ao.N.1 and ao.TN.1; believe nothing that they answer."""

    def __init__(self, client: Client) -> None:
        """Take what to ask with."""
        self._client = client

    def slot(self, elsewhere: Elsewhere, process: Id) -> int:
        """Return the highest slot that the scheduler says it gave.

        Raises:
            NotFound: it does not know the process.
            PeerFailed, PeerRefused: it cannot be asked.
            UntrustedSchedule: its answer makes no sense.
        """
        if elsewhere.variant == LEGACY_VARIANT:
            return self._legacy_entry(elsewhere, process, "latest", f"process-id={process}")
        answer = self._get(elsewhere, f"/{process}/slot", _BUNDLE)
        with _sense(answer):
            return bundle.slot(Wire(answer.headers, answer.body))

    def page(self, elsewhere: Elsewhere, process: Id, first: int, last: int) -> Entries:
        """Return slots `first`..`last` as the scheduler sends them, perhaps more or fewer.

        Raises:
            As `slot`.
        """
        if elsewhere.variant == LEGACY_VARIANT:
            return self._legacy_page(elsewhere, process, first, last)
        path = f"/{process}/schedule?from={first}&to={last}"
        answer = self._get(elsewhere, path, _BUNDLE)
        try:
            with _sense(answer):
                page = bundle.page(Wire(answer.headers, answer.body), MAX_SLOTS)
        except UntrustedSchedule as exc:
            # HyperBEAM's own bundles lack the scheduler's signatures; its JSON may have them.
            page = self._aos2_page(elsewhere, path, exc)
        return _sane(page)

    def schedule(self, elsewhere: Elsewhere, message: Verified, confirmation: str = "") -> Given:
        """Post a message; return what it got.

        Args:
            elsewhere: where to.
            message: what is to be scheduled.
            confirmation: which one to wait for, by its name over HTTP; else the node decides.

        Raises:
            InvalidInput: the scheduler refuses the message.
            OutcomeUnknown: there is no answer that says.
            PeerRefused: the scheduler may not be asked.
        """
        old = elsewhere.variant == LEGACY_VARIANT
        path = "/" if old else f"/{message.process}/schedule"
        headers, body = _posted(message)
        headers = (*headers, VIA)
        if confirmation:
            headers = (*headers, (b"confirmation", confirmation.encode()))
        try:
            answer = self._client.post(elsewhere.url + path, body, headers=headers, follow=True)
        except PeerFailed as exc:
            raise OutcomeUnknown(f"the scheduler gave no answer: {exc.detail}") from exc
        if answer.status >= 500:
            raise OutcomeUnknown(f"the scheduler answered with {reason(answer)}")
        if not answer.ok:
            raise InvalidInput(f"the scheduler refuses the message: {reason(answer)}")
        if old:
            return Given(self._legacy_slot(elsewhere, message))
        slot = answer.header(b"slot") or b""
        if not slot.isdigit():
            raise OutcomeUnknown("the scheduler did not say which slot it gave")
        reached = answer.header(b"confirmation") or b""
        return Given(int(slot[:15]), reached.decode("ascii", "replace"))

    def _legacy_page(self, elsewhere: Elsewhere, process: Id, first: int, last: int) -> Entries:
        # The first bound is exclusive there.
        path = (
            f"/{process}?process-id={process}&from-nonce={first - 1}&to-nonce={last}"
            f"&limit={PAGE_LIMIT}&show-anchor=true"
        )
        answer = self._get(elsewhere, path)
        with _sense(answer):
            return _sane(legacy.page(answer.body, MAX_SLOTS))

    def _legacy_slot(self, elsewhere: Elsewhere, message: Verified) -> int:
        # The reply to a post names no slot; and a process is a page there, not a slot.
        if message.is_process:
            return 0
        query = f"process-id={message.process}"
        return self._legacy_entry(elsewhere, message.process, str(message.message_id), query)

    def _legacy_entry(self, elsewhere: Elsewhere, process: Id, name: str, query: str) -> int:
        leaf = f"{process}/{name}" if name == "latest" else name
        answer = self._get(elsewhere, f"/{leaf}?{query}&show-anchor=true")
        with _sense(answer):
            return legacy.entry(answer.body).assignment.slot

    def _aos2_page(self, elsewhere: Elsewhere, path: str, before: UntrustedSchedule) -> Entries:
        try:
            answer = self._get(elsewhere, path, _AOS2)
            with _sense(answer):
                return aos2.page(answer.body, MAX_SLOTS)
        except (UntrustedSchedule, PeerFailed, PeerRefused, NotFound):
            # What was wrong with the form we prefer says more.
            raise before from None

    def _get(self, elsewhere: Elsewhere, path: str, headers: Headers = ()) -> Answer:
        url = elsewhere.url + path
        answer = self._client.get(url, headers=(*headers, VIA), follow=True)
        # Scheduler units of the older network say 400 for what they do not know.
        unknown = {400, 404} if elsewhere.variant == LEGACY_VARIANT else {404}
        if answer.status in unknown:
            raise NotFound(f"the scheduler does not know that: {reason(answer)}")
        if not answer.ok:
            raise PeerFailed(f"the scheduler answered with {reason(answer)}")
        return answer


def _posted(message: Verified) -> tuple[Headers, bytes]:
    if message.codec == "ans104":
        return _ITEM, message.encoded
    wire = Wire.parse(message.encoded)
    return wire.headers, wire.body


def _sane(page: Entries) -> Entries:
    if page.more and not page.entries:
        raise UntrustedSchedule("the scheduler says that its schedule goes on, and sends nothing")
    return page


@contextmanager
def _sense(answer: Answer) -> Iterator[None]:
    try:
        yield
    except (InvalidInput, ValueError) as exc:
        raise UntrustedSchedule(
            f"an answer with status {answer.status} is of no use: {exc}"[:300]
        ) from exc
