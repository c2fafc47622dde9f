"""Letters as the payloads of frames: written at once, and strictly read.

A payload is the length of the facts (four bytes, big-endian), the facts as one msgpack array
that begins with the number of the letter's kind, and then what is large and has no structure
here: the bytes of a message.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from math import isnan
from typing import Any, NoReturn

import msgpack

from actors.channel.facts import (
    ASSIGNMENT,
    MESSAGE,
    Facts,
    Shape,
    assignment_facts,
    message_facts,
    read_assignment,
    read_ids,
    read_message,
)
from actors.channel.failures import error_facts, read_error
from actors.channel.frames import HEADER, MAX_FRAME_BYTES
from actors.channel.kinds import (
    NUMBERS,
    Answer,
    Ask,
    Failed,
    Follow,
    Greeting,
    Hello,
    Letter,
    Reached,
    Refusal,
    Stored,
    Submit,
    Unfollow,
)
from actors.stages import Stage
from protocol.errors import MalformedFrame, SchedulerError, TooLarge, UnsupportedValue
from protocol.ids import Id

__all__ = [
    "VERSION",
    "Answer",
    "Ask",
    "Failed",
    "Follow",
    "Greeting",
    "Hello",
    "Letter",
    "Reached",
    "Refusal",
    "Stored",
    "Submit",
    "Unfollow",
    "pack",
    "require_version",
    "unpack",
]

VERSION = 1
"""What both sides must speak; another one is another language, not an older dialect."""

MAX_FACTS_BYTES = 1 << 20
"""Facts of one letter. A byte of msgpack can become seventy in memory, so there are few."""

MAX_ITEMS = 4096
"""Entries of one list. The room for them is taken before the first one is read, once for
every list that another one begins with."""

MAX_ENTRIES = 65_536
"""Entries of one dictionary."""

_pack = msgpack.Packer(autoreset=True).pack
_LENGTHS = struct.Struct(">II")
_STAGES = {stage.value: stage for stage in Stage}
_SUBMIT = NUMBERS[Submit]
_REACHED = NUMBERS[Reached]


def pack(letter: Letter) -> bytes:
    """Write a letter as a whole frame.

    Raises:
        UnsupportedValue: a value of `Ask` or `Answer` is none that travels.
        TooLarge: it would be over the limits of a frame, or of facts.
    """
    kind = type(letter)
    facts, body = _WRITERS[kind](letter)
    try:
        packed: bytes = _pack(facts)
        if kind is Ask or kind is Answer:
            # Whoever could not read it back would give up the whole connection.
            _unpack(packed)
    except (TypeError, ValueError, OverflowError) as exc:
        raise UnsupportedValue(f"a value cannot be sent to another program: {exc}") from exc
    size = HEADER.size + len(packed) + len(body)
    if len(packed) > MAX_FACTS_BYTES or size > MAX_FRAME_BYTES:
        raise TooLarge(f"a letter of {size} bytes, {len(packed)} of them facts, is too large")
    return b"".join((_LENGTHS.pack(size, len(packed)), packed, body))


def unpack(payload: bytes | memoryview) -> Letter:
    """Read the letter in the payload of one frame; it keeps nothing of `payload` itself.

    Raises:
        MalformedFrame: it is not exactly a letter as `pack` writes it.
    """
    try:
        facts, body = _opened(payload)
        read = _READERS[facts[0]][tuple(map(type, facts))]
        return read(facts, body)
    except MalformedFrame:
        raise
    except (LookupError, TypeError, ValueError, struct.error, SchedulerError) as exc:
        raise MalformedFrame(f"no letter: {type(exc).__name__}") from exc


def require_version(version: int) -> None:
    """Insist that the other side speaks what we speak.

    Raises:
        MalformedFrame: it says that it does not.
    """
    if version != VERSION:
        raise MalformedFrame(f"the other side speaks version {version}, we speak {VERSION}")


def _opened(payload: bytes | memoryview) -> tuple[Facts, bytes]:
    end = HEADER.size + HEADER.unpack_from(payload)[0]
    if end > min(len(payload), HEADER.size + MAX_FACTS_BYTES):
        raise MalformedFrame("a letter's facts are longer than they may be")
    facts = _unpack(payload[HEADER.size : end])
    if type(facts) is not tuple:
        raise MalformedFrame("a letter is a list of facts")
    return facts, bytes(payload[end:])


def _unpack(packed: bytes | memoryview) -> Any:
    # Text, bytes and dictionaries cannot be longer than what they are read from.
    return msgpack.unpackb(
        packed,
        use_list=False,
        ext_hook=_no_extension,
        max_array_len=MAX_ITEMS,
        max_map_len=MAX_ENTRIES,
        max_ext_len=0,
    )


def _no_extension(kind: int, _: bytes) -> NoReturn:
    raise MalformedFrame(f"extension {kind} is not used here")


def _submit(letter: Submit) -> tuple[Facts, bytes]:
    message = letter.message
    facts = (_SUBMIT, letter.ticket, float(letter.deadline), *message_facts(message))
    return facts, message.encoded


def _read_submit(facts: Facts, encoded: bytes) -> Submit:
    deadline = facts[2]
    if isnan(deadline):
        raise MalformedFrame("a deadline is no number")
    return Submit(facts[1], deadline, read_message(facts[3:], encoded))


def _reached(letter: Reached) -> tuple[Facts, bytes]:
    ticket, stage, assignment = letter
    if assignment is None:
        return (_REACHED, ticket, stage), b""
    return (_REACHED, ticket, stage, *assignment_facts(assignment)), assignment.original


def _read_reached(facts: Facts, original: bytes) -> Reached:
    return Reached(facts[1], _STAGES[facts[2]], read_assignment(facts[3:], original))


def _plain(letter: Letter) -> tuple[Facts, bytes]:
    return (NUMBERS[type(letter)], *letter), b""


def _answer(letter: Answer) -> tuple[Facts, bytes]:
    # The value may have any type; the list that it stands in has one.
    return (NUMBERS[Answer], letter.question, (letter.value,)), b""


def _ending_with_error(letter: Failed | Refusal) -> tuple[Facts, bytes]:
    return (NUMBERS[type(letter)], *letter[:-1], error_facts(letter.error)), b""


_WRITERS: dict[type[Letter], Callable[[Any], tuple[Facts, bytes]]] = {
    **dict.fromkeys(NUMBERS, _plain),
    Submit: _submit,
    Reached: _reached,
    Answer: _answer,
    Failed: _ending_with_error,
    Refusal: _ending_with_error,
}


def _bare(read: Callable[..., Letter]) -> Callable[[Facts, bytes], Letter]:
    # For letters that are all facts.
    def read_facts(facts: Facts, body: bytes) -> Letter:
        if body:
            raise MalformedFrame("bytes follow a letter that has none")
        return read(*facts[1:])

    return read_facts


def _hello(
    version: int, shard: int, shards: int, generation: int, pid: int, addresses: Facts
) -> Hello:
    return Hello(version, shard, shards, generation, pid, read_ids(addresses))


def _answered(question: int, values: Facts) -> Answer:
    (value,) = values
    return Answer(question, value)


_SHAPES: dict[type[Letter], dict[Shape, Callable[[Facts, bytes], Letter]]] = {
    Greeting: {(int,): _bare(Greeting)},
    Submit: {(int, float, *MESSAGE): _read_submit},
    Follow: {(bytes,): _bare(lambda process: Follow(Id(process)))},
    Unfollow: {(bytes,): _bare(lambda process: Unfollow(Id(process)))},
    Ask: {(int, str, tuple): _bare(Ask)},
    Hello: {(int, int, int, int, int, tuple): _bare(_hello)},
    Reached: {
        (int, int): _bare(lambda ticket, stage: Reached(ticket, _STAGES[stage])),
        (int, int, *ASSIGNMENT): _read_reached,
    },
    Failed: {
        (int, int, tuple): _bare(
            lambda ticket, stage, error: Failed(ticket, _STAGES[stage], read_error(error))
        )
    },
    Stored: {(bytes, int): _bare(lambda process, slot: Stored(Id(process), slot))},
    Answer: {(int, tuple): _bare(_answered)},
    Refusal: {(int, tuple): _bare(lambda question, error: Refusal(question, read_error(error)))},
}
"""What may follow the number of each kind, and who reads it."""

_READERS = {
    NUMBERS[kind]: {(int, *shape): read for shape, read in shapes.items()}
    for kind, shapes in _SHAPES.items()
}
