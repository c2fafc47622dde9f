"""Errors arrive in another program as what they were."""

from __future__ import annotations

import pytest

from actors.channel import pack, unpack
from actors.channel.failures import MAX_DETAIL, read_error
from actors.channel.letters import Refusal
from node import errors as program
from protocol import errors
from protocol.errors import CorruptRecord, MalformedFrame, NotFound, SchedulerError, UnexpectedSlot

HOMES = (errors.__name__, program.__name__)


def every_error(base=SchedulerError):
    own = [base] if base.__module__ in HOMES else []
    return [*own, *(found for child in base.__subclasses__() for found in every_error(child))]


def travelled(error: SchedulerError) -> SchedulerError:
    return unpack(pack(Refusal(1, error))[4:]).error


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.code)
def test_every_error_arrives_as_its_class(kind) -> None:
    """Class, sentence, code, status and retry hint are what they were."""
    for sent in (kind(), kind("what happened", retry_after=2.5)):
        arrived = travelled(sent)
        assert type(arrived) is kind
        assert arrived.detail == sent.detail
        assert (arrived.code, arrived.status) == (sent.code, sent.status)
        assert arrived.retry_after == sent.retry_after


def test_what_an_error_says_besides_arrives() -> None:
    """A corrupt record still says where it is, an unexpected slot which one came."""
    corrupt, slot = CorruptRecord("detail"), UnexpectedSlot("detail", retry_after=3)
    corrupt.process, corrupt.slot = bytes(32), 7
    slot.expected = 9
    arrived = travelled(corrupt)
    assert (arrived.process, arrived.slot) == (bytes(32), 7)
    arrived = travelled(slot)
    assert (arrived.expected, arrived.found, arrived.retry_after) == (9, None, 3)


def test_what_no_class_declares_stays_behind() -> None:
    """Attributes that somebody hung on an error, and notes, are not sent."""
    sent = NotFound("detail")
    sent.secret = "kept"
    sent.add_note("a note")
    assert vars(travelled(sent)) == {}


def test_an_unknown_code_is_kept() -> None:
    """An error of a class that nobody has here is a `SchedulerError` with its code."""

    class Elsewhere(SchedulerError):
        """Somewhere else."""

    sent = Elsewhere("detail")
    sent.code = "known_elsewhere"
    arrived = travelled(sent)
    assert type(arrived) is SchedulerError
    assert (arrived.code, arrived.detail) == ("known_elsewhere", "detail")
    assert SchedulerError.code == "scheduler_error"


def test_an_error_defined_later_is_found() -> None:
    """Whoever is imported after the first error travelled has its errors known, too."""
    travelled(NotFound())

    class Later(NotFound):
        """Defined just now."""

        code = "defined_just_now"

    assert type(travelled(Later())) is Later


def test_a_detail_that_is_no_text_is_sent_all_the_same() -> None:
    """Names of files may hold any bytes; an error about one still arrives, cut to a limit."""
    assert travelled(NotFound("no \udcff here")).detail == "no \\udcff here"
    assert travelled(NotFound("x" * 10 * MAX_DETAIL)).detail == "x" * MAX_DETAIL


@pytest.mark.parametrize(
    "facts",
    [
        (),
        ("not_found", "detail"),
        ("not_found", "detail", {}, 1),
        (b"not_found", "detail", {}),
        ("not_found", "detail", {"args": 1}),
        ("not_found", "detail", {"status": 200}),
        ("not_found", "detail", {"code": "other"}),
        ("not_found", "detail", {"__class__": 1}),
        ("not_found", "detail", {b"slot": 1}),
        ("not_found", "detail", {"slot": 1}),
        ("not_found", "detail", {"retry_after": "soon"}),
        ("corrupt_record", "detail", {"slot": (1,)}),
        ("corrupt_record", "detail", {"process": "text"}),
    ],
    ids=str,
)
def test_what_is_no_error_is_refused(facts) -> None:
    """Wrong types, and attributes that the class does not declare, are malformed."""
    with pytest.raises(MalformedFrame):
        read_error(facts)
