from __future__ import annotations

import pytest

from actors.flight import Flight
from actors.outbox import Slot
from actors.sequencer import Sequencer, Surroundings
from actors.shipping import MAX_RECENT_BYTES, Shipper
from actors.signing import WalletSigner
from actors.wrapping import Wrapper
from protocol.assignment import Block
from protocol.codecs.ans104 import parse
from protocol.codecs.assignment import encode
from protocol.errors import UploadFailed, UploadRefused
from protocol.message import Verified
from storage.journal import Batch, Body, Receipt
from storage.memory_journal import MemoryJournal
from tests.actors.cheap import FIRST, SECOND, message, process_message, signatures, sized_message
from tests.actors.outside import BrokenSigner

SPAWN = process_message("process", (FIRST, SECOND))
HELLO = message("hello", SPAWN.process)
NOBODY = Wrapper({}, WalletSigner())


class Bundler:
    """An uploader that acknowledges, or answers as it is told, and remembers the offers."""

    def __init__(self) -> None:
        self.offers = []
        self.answers = {}
        self.broken = None

    def upload(self, items):
        self.offers.append(list(items))
        if self.broken:
            raise self.broken
        return [self.answers.get(item.id, f"got {item.id}") for item in items]


class Blocks:
    def latest(self) -> Block:
        return Block()


@pytest.fixture
def bundler():
    return Bundler()


@pytest.fixture
def journal():
    return stored(SPAWN, HELLO)


@pytest.fixture
def shipper(journal, bundler):
    return Shipper(journal, bundler, NOBODY, clock=lambda: 77)


def slot(number: int) -> Slot:
    return SPAWN.process, number


def test_messages_go_first(shipper, bundler) -> None:
    """All messages are offered before any assignment of them."""
    shipper.ship([slot(0), slot(1)])
    kinds = [[item.kind for item in offer] for offer in bundler.offers]
    assert kinds == [["message"] * 2, ["assignment"] * 4]


@pytest.mark.guarantee("S5")
def test_exactly_the_stored_bytes_are_offered(shipper, bundler, journal) -> None:
    """The bundler gets the message as it came, and each signer's assignment as it is stored."""
    shipper.ship([slot(1)])
    assignment = journal.assignment(*slot(1))
    (sent,), assignments = bundler.offers
    assert (sent.id, sent.item) == (HELLO.message_id, HELLO.encoded)
    assert [item.item for item in assignments] == [
        encode(assignment, commitment) for commitment in assignment.commitments
    ]
    assert all(parse(item.item).id == item.id for item in assignments)


def test_a_receipt_names_every_item(shipper, journal) -> None:
    """The receipt holds what was said of the message and of each assignment, and when."""
    (shipped,) = shipper.ship([slot(1)])
    commitments = journal.assignment(*slot(1)).commitments
    ids = [HELLO.message_id, *(commitment.id for commitment in commitments)]
    items = tuple((item, f"got {item}") for item in ids)
    assert shipped.outcome == Receipt(SPAWN.process, 1, 77, items)


def test_an_assignment_waits_for_its_message(shipper, bundler) -> None:
    """Where the bundler did not take the message, its assignments are not offered."""
    bundler.answers[HELLO.message_id] = failure = UploadFailed("busy")
    results = outcomes(shipper.ship([slot(0), slot(1)]))
    assert results[1] is failure
    assert isinstance(results[0], Receipt)
    assert len(bundler.offers[1]) == len(SPAWN.committers) * 2


def test_a_slot_is_published_when_every_signer_s_item_is(shipper, bundler, journal) -> None:
    """One assignment that is not taken keeps its slot unpublished."""
    second = journal.assignment(*slot(1)).commitments[1]
    bundler.answers[second.id] = refusal = UploadRefused("too old")
    results = outcomes(shipper.ship([slot(0), slot(1)]))
    assert results[1] is refusal
    assert isinstance(results[0], Receipt)


def test_a_bundler_that_is_away_fails_everything(shipper, bundler) -> None:
    """When the whole offer fails, every slot is tried again later."""
    bundler.broken = UploadFailed("away")
    results = outcomes(shipper.ship([slot(0), slot(1)]))
    assert set(map(type, results.values())) == {UploadFailed}


@pytest.mark.parametrize("answer", [ValueError("bug"), "too few"])
def test_a_broken_uploader_fails_everything(shipper, bundler, answer, warned, monkeypatch) -> None:
    """An uploader that raises anything else, or answers too little, is logged and tried again."""
    if answer == "too few":
        monkeypatch.setattr(bundler, "upload", lambda items: ["ok"] * (len(items) - 1))
    else:
        bundler.broken = answer
    results = outcomes(shipper.ship([slot(0), slot(1)]))
    assert set(map(type, results.values())) == {UploadFailed}
    assert "uploader_broken" in warned()


def test_a_refusal_of_the_whole_offer_refuses_every_item(shipper, bundler) -> None:
    """A bundler that raises a refusal instead of returning it means all it was offered."""
    bundler.broken = UploadRefused("not paid")
    results = outcomes(shipper.ship([slot(0), slot(1)]))
    assert set(map(type, results.values())) == {UploadRefused}


@pytest.mark.parametrize(
    "answer", [None, 200, b"ok", ValueError("bug"), "half \ud800", UploadFailed]
)
def test_an_answer_that_means_nothing_is_a_failure(shipper, bundler, answer) -> None:
    """What is neither a readable acknowledgement nor a named failure is tried again later."""
    bundler.answers[HELLO.message_id] = answer
    results = outcomes(shipper.ship([slot(0), slot(1)]))
    assert isinstance(results[0], Receipt)
    assert isinstance(results[1], UploadFailed)
    assert "the uploader answered" in results[1].detail


def test_a_receipt_without_its_time_is_a_failure(journal, bundler) -> None:
    """When the clock fails nothing is known to be published; it is uploaded again later."""
    (shipped,) = Shipper(journal, bundler, NOBODY, clock=lambda: 1 // 0).ship([slot(1)])
    assert isinstance(shipped.outcome, UploadFailed)


@pytest.mark.guarantee("S12")
def test_a_damaged_record_is_not_uploaded(shipper, bundler, journal) -> None:
    """What does not match its digest asks for an operator; the other slots go on."""
    journal.disk.damaged.add((SPAWN.process, 1))
    results = outcomes(shipper.ship([slot(0), slot(1)]))
    assert isinstance(results[0], Receipt)
    assert isinstance(results[1], UploadRefused)
    assert "corrupt_record" in results[1].detail
    assert HELLO.message_id not in {item.id for offer in bundler.offers for item in offer}


@pytest.mark.guarantee("L3")
def test_what_cannot_be_wrapped_waits_for_its_wallet(bundler) -> None:
    """An httpsig assignment of a wallet that is not held here is stuck, and says why."""
    spawn = process_message("httpsig", **{"scheduler-commitment-spec": "httpsig@1.0"})
    shipper = Shipper(stored(spawn), bundler, NOBODY)
    (shipped,) = shipper.ship([(spawn.process, 0)])
    assert isinstance(shipped.outcome, UploadRefused)
    assert "wallet_missing" in shipped.outcome.detail
    assert bundler.offers == []


def test_what_nobody_signed_just_now_is_tried_again(bundler, wallet) -> None:
    """A signer that fails delays the slots that need it; the others go on."""
    spawn = process_message("httpsig", **{"scheduler-commitment-spec": "httpsig@1.0"})
    shipper = Shipper(stored(spawn), bundler, Wrapper({FIRST: wallet}, BrokenSigner()))
    (shipped,) = shipper.ship([(spawn.process, 0)])
    assert isinstance(shipped.outcome, UploadFailed)
    assert bundler.offers == []


def test_nothing_is_offered_when_nothing_can_be_read(shipper, bundler, journal) -> None:
    """Where every record is damaged the bundler hears nothing."""
    journal.disk.damaged |= {(SPAWN.process, 0), (SPAWN.process, 1)}
    assert len(shipper.ship([slot(0), slot(1)])) == 2
    assert bundler.offers == []


def test_the_assignment_of_a_known_message_is_shipped_alike(bundler) -> None:
    """A message with two slots is offered with each of them."""
    shipper = Shipper(stored(SPAWN, HELLO, HELLO), bundler, NOBODY)
    results = outcomes(shipper.ship([slot(1), slot(2)]))
    assert [results[number].items[0][0] for number in (1, 2)] == [HELLO.message_id] * 2


@pytest.mark.guarantee("L2")
def test_one_offer_is_bounded_in_bytes(bundler) -> None:
    """Large messages are offered in several calls, so memory holds a few of them at once."""
    large = [sized_message(f"large {number}", SPAWN.process, 9 << 20) for number in range(3)]
    shipper = Shipper(stored(SPAWN, *large), bundler, NOBODY)
    assert len(shipper.ship([slot(1), slot(2), slot(3)])) == 3
    assert [len(offer) for offer in bundler.offers if offer[0].kind == "message"] == [2, 1]


def test_what_was_just_stored_is_not_read_back(shipper, bundler, journal) -> None:
    """A slot that is remembered is uploaded from memory, once, and then read."""
    flight = landed(journal, 1)
    shipper.remember(flight)
    journal.disk.damaged.add(slot(1))
    journal.disk.bodies[HELLO.message_id] = Body("ans104", b"not read")
    first, again = (outcomes(shipper.ship([slot(1)]))[1] for _ in range(2))
    assert isinstance(first, Receipt)
    assert isinstance(again, UploadRefused)
    (sent,), assignments = bundler.offers
    assert sent.item == HELLO.encoded
    assert [each.id for each in assignments] == [c.id for c in flight.assignment.commitments]


@pytest.mark.guarantee("L2")
def test_a_stored_flight_lets_go_of_the_message(shipper, bundler, journal) -> None:
    """While a slot waits for its receipt it holds no message bytes; a long one is read back."""
    flight = landed(journal, 1)
    flight.body = Body("ans104", bytes(MAX_RECENT_BYTES + 1))
    shipper.remember(flight)
    assert flight.body is None
    shipper.ship([slot(1)])
    assert bundler.offers[0][0].item == HELLO.encoded


@pytest.mark.guarantee("L2")
def test_what_is_remembered_is_bounded(shipper, journal, monkeypatch) -> None:
    """When too much is remembered it is forgotten and read; what comes next is remembered."""
    monkeypatch.setattr("actors.shipping.MAX_RECENT", 1)
    for number in (0, 1):
        shipper.remember(landed(journal, number))
    journal.disk.damaged |= {slot(0), slot(1)}
    results = outcomes(shipper.ship([slot(0), slot(1)]))
    assert isinstance(results[0], UploadRefused)
    assert isinstance(results[1], Receipt)


def stored(*messages: Verified) -> MemoryJournal:
    journal = MemoryJournal()
    around = Surroundings(journal, (FIRST, SECOND), lambda: 1, Blocks())
    sequencer = Sequencer(messages[0].process, None, around)
    flights = [sequencer.give(each) for each in messages]
    signed = [
        each.assignment.signed(signatures(each.signers, f"slot {each.slot}", each.device))
        for each in flights
    ]
    journal.append(Batch(pins=[flight.pin for flight in flights], signed=signed))
    return journal


def landed(journal: MemoryJournal, number: int) -> Flight:
    flight = Flight(journal.assignment(*slot(number)), (FIRST, SECOND), None)
    flight.body = journal.body(flight.assignment.message_id)
    return flight


def outcomes(shipped):
    return {result.slot[1]: result.outcome for result in shipped}


def test_all_of_a_slot_goes_to_an_uploader_that_takes_all_or_nothing(journal, bundler) -> None:
    """Where no part of a call can be lost, message and assignments travel in one."""
    bundler.atomic = True
    shipped = Shipper(journal, bundler, NOBODY, clock=lambda: 77).ship([slot(0), slot(1)])
    assert all(isinstance(one.outcome, Receipt) for one in shipped)
    (offer,) = bundler.offers
    assert [upload.kind for upload in offer[:2]] == ["message", "message"]
    assert {upload.kind for upload in offer[2:]} == {"assignment"}
    assert len(offer) == 6
