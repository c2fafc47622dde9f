"""What a program says of its end, and how it arrives."""

from __future__ import annotations

import pickle
import signal

import pytest

from actors.shards.endings import FENCED_EXIT, ending
from actors.shards.words import MAX_ERROR_BYTES, MAX_TEXT, Failed, error_of, failed
from protocol.errors import CorruptRecord, ProgramsFailed, StoreInUse
from tests.actors.shards.children import Odd


def arrived(error: BaseException) -> Exception:
    return error_of(pickle.loads(pickle.dumps(failed(error))), "shard 1")


@pytest.mark.parametrize("error", [StoreInUse("by PID 7"), ValueError("no"), OSError(28, "full")])
def test_an_error_arrives_as_it_was(error: Exception) -> None:
    """Its class and what it says are the same in the other program."""
    assert type(arrived(error)) is type(error)
    assert str(arrived(error)) == str(error)


def test_an_error_keeps_what_it_carries() -> None:
    """Where a record is corrupt arrives with the error."""
    error = CorruptRecord("detail")
    error.process, error.slot = bytes(32), 7
    assert (arrived(error).process, arrived(error).slot) == (bytes(32), 7)


@pytest.mark.parametrize(
    "error", [Odd("quite", "odd"), ValueError(lambda: None), ValueError("x" * 2 * MAX_ERROR_BYTES)]
)
def test_an_error_that_cannot_travel_arrives_as_text(error: Exception) -> None:
    """One that cannot be written, cannot be read, or is too large says what it was."""
    assert type(arrived(error)) is ProgramsFailed
    assert arrived(error).detail.startswith(f"shard 1 failed: {type(error).__name__}: ")
    assert len(arrived(error).detail) < MAX_TEXT + 100


@pytest.mark.parametrize("pickled", [b"no pickle", pickle.dumps("no error")])
def test_an_error_that_cannot_be_read_here_arrives_as_text(pickled: bytes) -> None:
    """A class that only the other program can import does no harm."""
    assert error_of(Failed("why", pickled), "shard 1").detail == "shard 1 failed: why"


def test_an_ending_is_told_in_words() -> None:
    """Exit codes and signals have names."""
    assert ending(0) == "ended by itself"
    assert ending(7) == "ended with exit code 7"
    assert ending(FENCED_EXIT) == "was fenced"
    assert ending(-signal.SIGSEGV) == "was ended by SIGSEGV"
    assert "SIGKILL" in ending(-signal.SIGKILL)
    assert ending(-(signal.SIGRTMIN + 1)) == f"was ended by signal {signal.SIGRTMIN + 1}"
    assert "not known" in ending(None)
