"""What a program and its supervisor say to each other over the control pipe."""

from __future__ import annotations

import pickle
from typing import NamedTuple

from protocol.errors import ProgramsFailed, SchedulerError

MAX_TEXT = 2000
"""Characters of a reason. A word goes into the pipe in one piece, so that whoever reads it never
waits for the rest of one."""

MAX_ERROR_BYTES = 8000

STOP = "stop"
"""What a supervisor says to end a program in good order."""


class Begun(NamedTuple):
    """It runs, has imported what it needs, and asks for its order."""


class Ready(NamedTuple):
    """It does its work from now on, and beats."""


class Beat(NamedTuple):
    """It is alive."""


class Ending(NamedTuple):
    """It is about to end by itself, for this reason."""

    reason: str


class Failed(NamedTuple):
    """It cannot do its work; the error comes as it is, if it can, and as text."""

    reason: str
    pickled: bytes | None


Word = Begun | Ready | Beat | Ending | Failed


def failed(error: BaseException) -> Failed:
    """Put an error into a word. One that cannot travel goes as text."""
    reason = error.detail if isinstance(error, SchedulerError) else f"{_named(error)}: {error}"
    return Failed(reason[:MAX_TEXT], _pickled(error))


def error_of(word: Failed, name: str) -> Exception:
    """Take the error out of a word of the program `name`: the same, or `ProgramsFailed`."""
    if word.pickled is not None:
        try:
            error = pickle.loads(word.pickled)  # noqa: S301 - from a program of our own
        except Exception:
            # Its class can be read there and not here.
            return ProgramsFailed(f"{name} failed: {word.reason}")
        if isinstance(error, Exception):
            return error
    return ProgramsFailed(f"{name} failed: {word.reason}")


def _pickled(error: BaseException) -> bytes | None:
    # Some errors can be written and not be read: their __init__ takes other arguments.
    try:
        pickled = pickle.dumps(error)
        pickle.loads(pickled)  # noqa: S301 - just written
    except Exception:
        return None
    return pickled if len(pickled) <= MAX_ERROR_BYTES else None


def _named(error: BaseException) -> str:
    return type(error).__qualname__
