"""The errors are part of the interface: programs match on codes, so codes never change."""

from __future__ import annotations

import ast
import pickle

import pytest

from node import errors as program
from protocol import errors
from protocol.errors import Fenced, InvalidInput, NotNow, Refused, SchedulerError
from tests.sources import FLOORS, named, parsed, python_files

STABLE = {
    "SchedulerError": ("scheduler_error", 500, None),
    "Refused": ("refused", 400, None),
    "InvalidInput": ("invalid_input", 400, None),
    "InvalidId": ("invalid_id", 400, None),
    "MalformedItem": ("malformed_item", 400, None),
    "NotCanonical": ("not_canonical", 400, None),
    "TooLarge": ("too_large", 413, None),
    "UnsupportedSignature": ("unsupported_signature_type", 400, None),
    "InvalidSignature": ("invalid_signature", 400, None),
    "NoTarget": ("no_target", 400, None),
    "WrongTarget": ("wrong_target", 400, None),
    "NoScheduler": ("no_scheduler", 400, None),
    "NotOurProcess": ("not_our_process", 421, None),
    "UnsupportedProcess": ("unsupported_process", 422, None),
    "UnsupportedValue": ("unsupported_value", 400, None),
    "IdCollision": ("id_collision", 409, None),
    "Duplicate": ("duplicate", 409, None),
    "StaleLocation": ("stale_location", 409, None),
    "NotFound": ("not_found", 404, None),
    "NotNow": ("not_now", 503, 1.0),
    "Overloaded": ("overloaded", 503, 1.0),
    "DeadlineExpired": ("deadline_expired", 503, 1.0),
    "Recovering": ("recovering", 503, 1.0),
    "ClockAhead": ("clock_ahead", 503, 60.0),
    "Unavailable": ("unavailable", 503, None),
    "Closed": ("closed", 503, None),
    "ProgramsFailed": ("programs_failed", 503, None),
    "SchedulingDisabled": ("scheduling_disabled", 503, None),
    "StoreFull": ("store_full", 507, 30.0),
    "StoreInUse": ("store_in_use", 503, None),
    "StoreInvalid": ("store_invalid", 500, None),
    "NeedsAdoption": ("needs_adoption", 503, None),
    "CorruptRecord": ("corrupt_record", 500, None),
    "WalletMissing": ("wallet_missing", 503, None),
    "WalletError": ("wallet_error", 500, None),
    "Fenced": ("fenced", 503, None),
    "OutcomeUnknown": ("outcome_unknown", 504, 1.0),
    "PublicationPending": ("publication_pending", 504, 5.0),
    "UploadFailed": ("upload_failed", 502, None),
    "UploadRefused": ("upload_refused", 502, None),
    "MalformedFrame": ("malformed_frame", 502, None),
    "UntrustedSchedule": ("untrusted_schedule", 502, None),
    "UnexpectedSlot": ("unexpected_slot", 500, None),
    "PeerRefused": ("peer_refused", 403, None),
    "PeerFailed": ("peer_failed", 502, 5.0),
    "PeerTimeout": ("peer_timeout", 504, 5.0),
    "PeerTooLarge": ("peer_answer_too_large", 502, 5.0),
    "MalformedRequest": ("malformed_request", 400, None),
    "UnsupportedMethod": ("method_not_allowed", 405, None),
    "HeadersTooLarge": ("headers_too_large", 431, None),
    "UnsupportedEncoding": ("unsupported_content_encoding", 415, None),
    "RequestTimeout": ("request_timeout", 408, None),
    "RateLimited": ("rate_limited", 429, 1.0),
    "ConfigInvalid": ("config_invalid", 500, None),
}
"""Class: code, HTTP status, seconds until a retry is sensible. Released entries never change."""

FAMILIES = {
    InvalidInput: range(400, 500),
    NotNow: range(500, 600),
    Fenced: range(500, 600),
}


def every_error(base: type[SchedulerError] = SchedulerError) -> list[type[SchedulerError]]:
    return [base, *(found for child in base.__subclasses__() for found in every_error(child))]


HOMES = {errors.__name__, program.__name__}
ERRORS = {error.__name__: error for error in every_error() if error.__module__ in HOMES}


def test_codes_are_stable() -> None:
    """Each class has the code, status and retry hint that users already match on."""
    assert {n: (e.code, e.status, e.retry_after) for n, e in ERRORS.items()} == STABLE


def test_codes_are_unique() -> None:
    """A code tells exactly one class."""
    assert len({error.code for error in ERRORS.values()}) == len(ERRORS)


@pytest.mark.parametrize("name", STABLE)
def test_an_error_says_one_line(name: str) -> None:
    """Without a detail an error says what its class says; with one, that; both in one line."""
    error = ERRORS[name]
    assert error().detail == str(error()) == error.__doc__.splitlines()[0]
    assert error("what happened").detail == "what happened"
    assert "\n" not in error().detail
    assert error.code == error.code.lower().replace(" ", "_")


@pytest.mark.parametrize("name", STABLE)
def test_an_error_travels(name: str) -> None:
    """An error that a shard sends arrives with its class, its detail and its retry hint."""
    sent = ERRORS[name]("detail", retry_after=2.5)
    arrived = pickle.loads(pickle.dumps(sent))
    assert type(arrived) is ERRORS[name]
    assert (arrived.detail, arrived.retry_after) == ("detail", 2.5)


def test_a_corrupt_record_says_where_it_is_after_travelling() -> None:
    """Process and slot arrive with the error, for whoever has to report them."""
    sent = errors.CorruptRecord("detail")
    sent.process, sent.slot = bytes(32), 7
    arrived = pickle.loads(pickle.dumps(sent))
    assert (arrived.process, arrived.slot) == (bytes(32), 7)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.code)
def test_the_status_says_whose_fault_it_is(family: type[SchedulerError]) -> None:
    """4xx: the message is at fault; 5xx: we or the moment are."""
    assert all(error.status in FAMILIES[family] for error in every_error(family))


def test_what_may_be_retried_says_when() -> None:
    """A refusal for now always has a hint, one for good never."""
    assert all(error.retry_after for error in every_error(NotNow))
    assert not any(error.retry_after for error in every_error(InvalidInput))


def test_refused_and_fenced_are_two_things() -> None:
    """Whoever catches refusals does not catch a store whose state is unknown."""
    assert not issubclass(Fenced, Refused)
    assert not issubclass(errors.OutcomeUnknown, Refused)


def test_there_is_one_tree() -> None:
    """What users can meet is defined in two files, where this table sees it."""
    strangers = [
        f"{named(file)}: {node.name}"
        for file in python_files(*FLOORS)
        if named(file) not in ("protocol/errors.py", "node/errors.py")
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.ClassDef)
        if any(ast.unparse(base).split(".")[-1] in ERRORS for base in node.bases)
    ]
    assert strangers == []
