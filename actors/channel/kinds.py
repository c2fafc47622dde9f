"""The kinds of letters that a caller's program and a shard send each other."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, get_args

from actors.stages import Stage
from protocol.assignment import Assignment
from protocol.errors import SchedulerError
from protocol.ids import Id
from protocol.message import Verified


class Greeting(NamedTuple):
    """A caller's first letter."""

    version: int


class Submit(NamedTuple):
    """Give this message a slot.

    Attributes:
        ticket: the caller's number for the request; every answer carries it.
        deadline: absolute `time.monotonic()` seconds, which all programs of a machine share.
        message: verified by the caller's program; it is not verified again.
    """

    ticket: int
    deadline: float
    message: Verified


class Follow(NamedTuple):
    """Tell of every slot of this process that is stored from now on."""

    process: Id


class Unfollow(NamedTuple):
    """Tell no more of this process."""

    process: Id


class Ask(NamedTuple):
    """Ask something that is not about one request.

    Attributes:
        question: the caller's number for it; the answer carries it.
        what: name of what is asked for.
        arguments: plain values: None, booleans, 64-bit integers, floats, text, bytes, tuples, and
            dictionaries whose keys are text or bytes. An `Id` arrives as its bytes.
    """

    question: int
    what: str
    arguments: tuple[Any, ...] = ()


class Hello(NamedTuple):
    """A shard's first letter.

    Attributes:
        version: what it speaks.
        shard, shards: which one it is, of how many.
        generation: how often it was started.
        pid: its program.
        addresses: wallets it signs with.
    """

    version: int
    shard: int
    shards: int
    generation: int
    pid: int
    addresses: tuple[Id, ...] = ()


class Reached(NamedTuple):
    """A request got to a stage.

    Attributes:
        ticket: the caller's number for the request.
        stage: the highest stage reached.
        assignment: None if it is the one that came with the stage before.
    """

    ticket: int
    stage: Stage
    assignment: Assignment | None = None


class Failed(NamedTuple):
    """A request does not get to a stage; those before it stand.

    Attributes:
        ticket: the caller's number for the request.
        stage: the one that is not reached. Those after it are told of, too, each with its own
            reason.
        error: why.
    """

    ticket: int
    stage: Stage
    error: SchedulerError


class Stored(NamedTuple):
    """A slot of a process that is followed is stored."""

    process: Id
    slot: int


class Answer(NamedTuple):
    """What was asked: a plain value, as the arguments of `Ask` are."""

    question: int
    value: Any = None


class Refusal(NamedTuple):
    """Why there is no answer."""

    question: int
    error: SchedulerError


Letter = (
    Greeting
    | Submit
    | Follow
    | Unfollow
    | Ask
    | Hello
    | Reached
    | Failed
    | Stored
    | Answer
    | Refusal
)

NUMBERS: Mapping[type[Letter], int] = MappingProxyType(
    {kind: number for number, kind in enumerate(get_args(Letter), start=1)}
)
"""What each kind is called where it is written; new kinds come last, in a new version."""
