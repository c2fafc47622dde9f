"""Letters as the payloads of frames: written at once, and strictly read.

A payload is the length of the facts (four bytes, big-endian), the facts as one msgpack array
that begins with the number of the letter's kind, and then what is large and has no structure
here: the bytes of a message.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from math import isnan
from types import MappingProxyType
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
_STAGES = MappingProxyType({stage.value: stage for stage in Stage})


def pack(letter: Letter) -> bytes:
    """Write a letter as a whole frame.

    Raises:
        UnsupportedValue: a value of `Ask` or `Answer` is none that travels.
        TooLarge: it would be over the limits of a frame, or of facts.
    """
    facts, body = _WRITERS[type(letter)](letter)
    try:
        packed: bytes = _pack(facts)
        if isinstance(letter, Ask | Answer):
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
    return (2, letter.ticket, float(letter.deadline), *message_facts(message)), message.encoded


def _read_submit(facts: Facts, encoded: bytes) -> Submit:
    deadline = facts[2]
    if isnan(deadline):
        raise MalformedFrame("a deadline is no number")
    return Submit(facts[1], deadline, read_message(facts[3:], encoded))


def _reached(letter: Reached) -> tuple[Facts, bytes]:
    assignment = letter.assignment
    if assignment is None:
        return (7, letter.ticket, letter.stage), b""
    return (7, letter.ticket, letter.stage, *assignment_facts(assignment)), assignment.original


def _read_reached(facts: Facts, original: bytes) -> Reached:
    return Reached(facts[1], _STAGES[facts[2]], read_assignment(facts[3:], original))


def _hello(
    version: int, shard: int, shards: int, generation: int, pid: int, addresses: Facts
) -> Hello:
    return Hello(version, shard, shards, generation, pid, read_ids(addresses))


def _plain(number: int) -> Callable[[Any], tuple[Facts, bytes]]:
    return lambda letter: ((number, *letter), b"")


_WRITERS: dict[type[Letter], Callable[[Any], tuple[Facts, bytes]]] = {
    Greeting: _plain(1),
    Submit: _submit,
    Follow: _plain(3),
    Unfollow: _plain(4),
    Ask: _plain(5),
    Hello: _plain(6),
    Reached: _reached,
    Failed: lambda letter: ((8, letter.ticket, letter.stage, error_facts(letter.error)), b""),
    Stored: _plain(9),
    # A value may have any type, and so stands in a list that has one.
    Answer: lambda letter: ((10, letter.question, (letter.value,)), b""),
    Refusal: lambda letter: ((11, letter.question, error_facts(letter.error)), b""),
}


def _bare(read: Callable[..., Letter]) -> Callable[[Facts, bytes], Letter]:
    # A kind that is all facts.
    def read_facts(facts: Facts, body: bytes) -> Letter:
        if body:
            raise MalformedFrame("bytes follow a letter that has none")
        return read(*facts[1:])

    return read_facts


_READERS: dict[int, dict[Shape, Callable[[Facts, bytes], Letter]]] = {
    1: {(int, int): _bare(Greeting)},
    2: {(int, int, float, *MESSAGE): _read_submit},
    3: {(int, bytes): _bare(lambda process: Follow(Id(process)))},
    4: {(int, bytes): _bare(lambda process: Unfollow(Id(process)))},
    5: {(int, int, str, tuple): _bare(Ask)},
    6: {(int, int, int, int, int, int, tuple): _bare(_hello)},
    7: {
        (int, int, int): _bare(lambda ticket, stage: Reached(ticket, _STAGES[stage])),
        (int, int, int, *ASSIGNMENT): _read_reached,
    },
    8: {
        (int, int, int, tuple): _bare(
            lambda ticket, stage, error: Failed(ticket, _STAGES[stage], read_error(error))
        )
    },
    9: {(int, bytes, int): _bare(lambda process, slot: Stored(Id(process), slot))},
    10: {(int, int, tuple): _bare(lambda question, value: Answer(question, *value))},
    11: {(int, int, tuple): _bare(lambda question, error: Refusal(question, read_error(error)))},
}
