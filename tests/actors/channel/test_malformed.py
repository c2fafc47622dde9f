"""Nothing but a letter is read as one, and nothing that comes takes much memory."""

from __future__ import annotations

import contextlib
import tracemalloc
from math import nan

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.channel import pack, unpack
from actors.channel.frames import HEADER, MAX_FRAME_BYTES
from actors.channel.kinds import NUMBERS
from actors.channel.letters import Answer, Greeting, Hello, Reached, Stored, Submit
from actors.stages import Stage
from protocol.errors import MalformedFrame
from tests.actors.cheap import FIRST, assignment, message

MESSAGE = message("a message", FIRST)
SUBMIT = pack(Submit(1, 2.0, MESSAGE))[4:]
REACHED = pack(Reached(1, Stage.STORED, assignment()))[4:]
SEEDS = [
    SUBMIT,
    REACHED,
    pack(Hello(1, 0, 1, 1, 1, (FIRST,)))[4:],
    pack(Answer(1, {"a": (1, b"b", "c", 1.5, None)}))[4:],
]


def payload(*facts: object, body: bytes = b"") -> bytes:
    """What a program might send that does not use `pack`."""
    return raw(msgpack.packb(facts), body)


def raw(packed: bytes, body: bytes = b"") -> bytes:
    return HEADER.pack(len(packed)) + packed + body


def changed(sent: bytes, position: int, *values: object) -> bytes:
    """A letter with another value, or several, in one position."""
    size = HEADER.unpack_from(sent)[0]
    facts = msgpack.unpackb(sent[4 : 4 + size])
    facts[position : position + 1] = values
    return payload(*facts, body=sent[4 + size :])


REFUSED = {
    "nothing": b"",
    "half a length": b"\x00\x00",
    "no facts": raw(b""),
    "a length beyond the end": HEADER.pack(9) + b"\x92\x01\x01",
    "a number": raw(b"\x01"),
    "bytes": raw(msgpack.packb(b"\x01\x01")),
    "text": raw(msgpack.packb("\x01\x01")),
    "a dictionary": raw(msgpack.packb({"a": 1})),
    "an empty list": payload(),
    "no number of a kind": payload("1", 1),
    "a list as a kind": payload([1], 1),
    "a dictionary as a kind": payload({"a": 1}, 1),
    "a boolean as a kind": payload(True, 1),
    "a float as a kind": payload(1.0, 1),
    "kind 0": payload(0, 1),
    "an unknown kind": payload(max(NUMBERS.values()) + 1, 1),
    "too few": payload(NUMBERS[Greeting]),
    "too many": payload(NUMBERS[Greeting], 1, 1),
    "two lists": raw(b"\x92\x01\x01\x92\x01\x01"),
    "bytes that belong to nothing": payload(NUMBERS[Greeting], 1, body=b"x"),
    "bytes after a stage": payload(NUMBERS[Reached], 1, 1, body=b"x"),
    "a boolean for a number": payload(NUMBERS[Greeting], True),
    "no text": raw(b"\x94\x05\x01\xa1\xff\x90"),
    "half a value": raw(b"\x92\x01"),
    "a byte that msgpack does not use": raw(b"\x92\x01\xc1"),
    "an extension": raw(b"\x93\x0a\x01\x91\xd4\x05x"),
    "an extension of nothing": raw(b"\x93\x0a\x01\x91\xc7\x00\x05"),
    "a timestamp": raw(b"\x93\x0a\x01\x91\xd6\xff\x00\x00\x00\x01"),
    "a number as a key": raw(b"\x93\x0a\x01\x91\x81\x01\x01"),
    "two values of an answer": payload(NUMBERS[Answer], 1, (1, 2)),
    "no value of an answer": payload(NUMBERS[Answer], 1, ()),
    "a short ID": payload(NUMBERS[Stored], bytes(31), 1),
    "a long ID": payload(NUMBERS[Stored], bytes(33), 1),
    "an ID as text": payload(NUMBERS[Stored], "x" * 32, 1),
    "a slot as text": payload(NUMBERS[Stored], bytes(32), "1"),
    "stage 0": payload(NUMBERS[Reached], 1, 0),
    "stage 4": payload(NUMBERS[Reached], 1, 4),
    "a deadline that is no number": changed(SUBMIT, 2, nan),
    "a deadline in whole seconds": changed(SUBMIT, 2, 1),
    "a message ID that is short": changed(SUBMIT, 3, bytes(31)),
    "an unknown codec": changed(SUBMIT, 7, "pigeon"),
    "a committer that is none": changed(SUBMIT, 8, [bytes(31)]),
    "a committer that is text": changed(SUBMIT, 8, ["x" * 32]),
    "committers that are no list": changed(SUBMIT, 8, bytes(32)),
    "a field too many": changed(SUBMIT, 8, [], []),
    "a block hash that is bytes": changed(REACHED, 10, b"hash"),
    "a commitment that is none": changed(REACHED, 15, [1]),
    "a commitment of too little": changed(REACHED, 15, [[bytes(32)] * 5]),
    "a commitment of a short ID": changed(REACHED, 15, [[bytes(31), bytes(32), "", "", b"", b""]]),
}


@pytest.mark.parametrize("sent", REFUSED.values(), ids=REFUSED)
def test_what_is_no_letter_is_refused(sent) -> None:
    """Whatever is wrong with it, the one error comes."""
    with pytest.raises(MalformedFrame):
        unpack(sent)
    with pytest.raises(MalformedFrame):
        unpack(memoryview(bytearray(sent)))


@pytest.mark.parametrize("seed", SEEDS, ids=["submit", "reached", "hello", "answer"])
def test_half_a_letter_is_refused(seed) -> None:
    """However much is missing of the facts, no letter is read from the rest."""
    facts = HEADER.size + HEADER.unpack_from(seed)[0]
    for size in range(facts):
        with pytest.raises(MalformedFrame):
            unpack(seed[:size])


@given(st.binary(max_size=200))
def test_noise_is_refused(noise) -> None:
    """Random bytes raise the one error, or happen to be a letter; nothing else is raised."""
    for sent in (noise, raw(noise)):
        with contextlib.suppress(MalformedFrame):
            unpack(sent)


@given(st.sampled_from(SEEDS), st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_read(seed, position, change) -> None:
    """A damaged letter raises the one error, or is another letter; nothing else is raised."""
    damaged = bytearray(seed)
    damaged[position % len(seed)] ^= change
    with contextlib.suppress(MalformedFrame):
        unpack(damaged)


LISTS = b"\xdc\x10\x00" * 4000
"""Each is said to have 4,096 entries, and the first one is the next list."""

GREEDY = {
    "a list without end": raw(b"\xdd\xff\xff\xff\xff"),
    "lists in lists": raw(LISTS),
    "lists as long as the limit in lists": raw(b"\xdc\x0f\xff" * 1000),
    "a dictionary without end": raw(b"\xdf\xff\xff\xff\xff"),
    "dictionaries in dictionaries": raw(b"\xde\xff\xff\xa1a" * 4000),
    "bytes without end": raw(b"\xc6\xff\xff\xff\xff"),
    "text without end": raw(b"\xdb\xff\xff\xff\xff"),
    "facts as long as a frame": raw(bytes(MAX_FRAME_BYTES - 4)),
    "a tree of empty dictionaries": raw(
        b"\xdc\x01\x00" + (b"\xdc\x0f\xff" + b"\x80" * 0xFFF) * 0x100
    ),
}


@pytest.mark.guarantee("L2")
@pytest.mark.parametrize("sent", GREEDY.values(), ids=GREEDY)
def test_memory_for_a_letter_is_bounded(sent) -> None:
    """A letter that promises, or is made to swell, takes little more than its own limits."""
    tracemalloc.start()
    try:
        with pytest.raises(MalformedFrame):
            unpack(sent)
        assert tracemalloc.get_traced_memory()[1] < 96 << 20
    finally:
        tracemalloc.stop()
