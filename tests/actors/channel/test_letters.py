"""Letters arrive as they were sent, and what is no letter is refused by name."""

from __future__ import annotations

import threading
from dataclasses import replace
from math import inf

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.channel import VERSION, letters, pack, require_version, unpack
from actors.channel.frames import HEADER, MAX_FRAME_BYTES
from actors.channel.kinds import NUMBERS
from actors.channel.letters import (
    MAX_FACTS_BYTES,
    MAX_ITEMS,
    Answer,
    Ask,
    Failed,
    Follow,
    Greeting,
    Hello,
    Reached,
    Refusal,
    Stored,
    Submit,
    Unfollow,
)
from actors.stages import Stage
from protocol.assignment import Block
from protocol.codecs.ans104 import MAX_ITEM_BYTES
from protocol.errors import MalformedFrame, NotFound, TooLarge, UnsupportedValue
from protocol.ids import Id
from tests.actors.cheap import FIRST, SECOND, assignment, message, process_message, signatures

SIGNED = assignment(7)
UNSIGNED = replace(SIGNED, commitments=())
MESSAGE = message("a message", FIRST, Action="Ping")
FULL = replace(
    SIGNED,
    block=Block(1_500_000, 1_700_000_000, "hash"),
    path=b"compute/\xff",
    chain="base-hashpath",
    commitments=tuple(signatures((FIRST, SECOND), "both", "httpsig@1.0")),
    original=b"as it came",
)

LETTERS = [
    Greeting(VERSION),
    Submit(1, 12.5, MESSAGE),
    Submit(2**63, inf, process_message("a process")),
    Follow(FIRST),
    Unfollow(SECOND),
    Ask(1, "load"),
    Ask(2, "backfill", (FIRST, 3, None, True, 1.5, "text", (1, (2,)), {"a": b"b"})),
    Hello(VERSION, 1, 2, 3, 4, (FIRST, SECOND)),
    Hello(VERSION, 0, 1, 0, 4),
    Reached(1, Stage.ASSIGNED, UNSIGNED),
    Reached(1, Stage.STORED, SIGNED),
    Reached(1, Stage.PUBLISHED, FULL),
    Reached(1, Stage.PUBLISHED),
    Stored(FIRST, 2**40),
    Answer(1),
    Answer(2, {"stuck": {bytes(FIRST): (1, "why")}, "fenced": None}),
]
NAMES = [f"{type(letter).__name__}{number}" for number, letter in enumerate(LETTERS)]

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=5) | st.binary(max_size=5), inner, max_size=4)
    ),
)


def payload(*facts: object, body: bytes = b"") -> bytes:
    """What a program might send that does not use `pack`."""
    packed = msgpack.packb(facts)
    return HEADER.pack(len(packed)) + packed + body


@pytest.mark.parametrize("letter", LETTERS, ids=NAMES)
def test_a_letter_arrives_as_it_was_sent(letter) -> None:
    """Every kind comes back as itself, from bytes and from a part of a buffer alike."""
    frame = pack(letter)
    assert HEADER.unpack_from(frame)[0] == len(frame) - HEADER.size
    for arrived in (unpack(frame[4:]), unpack(memoryview(bytearray(frame))[4:])):
        assert type(arrived) is type(letter)
        assert arrived == letter


@pytest.mark.parametrize("kind", [Failed, Refusal])
def test_an_error_arrives_in_its_letter(kind) -> None:
    """A letter that ends something says which, and why."""
    error = NotFound("not here", retry_after=2.0)
    sent = Failed(3, Stage.STORED, error) if kind is Failed else Refusal(3, error)
    arrived = unpack(pack(sent)[4:])
    assert type(arrived) is kind
    assert arrived[:-1] == sent[:-1]
    assert type(arrived.error) is NotFound
    assert (arrived.error.detail, arrived.error.retry_after) == ("not here", 2.0)


def test_every_kind_is_tried_here() -> None:
    """No kind of letter is left out above."""
    assert {type(letter) for letter in LETTERS} | {Failed, Refusal} == set(NUMBERS)


def test_all_of_an_assignment_arrives() -> None:
    """Commitments come with their types, and the form in which another scheduler wrote it."""
    arrived = unpack(pack(Reached(1, Stage.STORED, FULL))[4:]).assignment
    assert arrived.original == FULL.original
    assert isinstance(arrived.process, Id)
    assert isinstance(arrived.message_id, Id)
    assert isinstance(arrived.commitments[1].committer, Id)
    assert arrived.id == FULL.id


def test_a_message_arrives_with_its_keys() -> None:
    """The keys are read from the message's own bytes, which are sent once."""
    arrived = unpack(pack(Submit(1, 1.0, MESSAGE))[4:]).message
    assert dict(arrived.keys) == dict(MESSAGE.keys)
    assert arrived.encoded == MESSAGE.encoded
    assert len(pack(Submit(1, 1.0, MESSAGE))) < len(MESSAGE.encoded) + 200


@given(VALUES)
def test_plain_values_arrive(value) -> None:
    """Questions and answers carry any plain value, and nested ones."""
    assert unpack(pack(Answer(1, value))[4:]).value == value
    assert unpack(pack(Ask(1, "what", (value, value)))[4:]).arguments == (value, value)


@pytest.mark.parametrize(
    "value",
    [object(), 1 << 64, {1: 2}, {(1,): 2}, "\udcff", [0] * (MAX_ITEMS + 1)],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_travel_is_refused_where_it_is_sent(value) -> None:
    """A value that the other side could not read costs its sender an error, not the connection."""
    with pytest.raises(UnsupportedValue):
        pack(Answer(1, value))
    with pytest.raises(UnsupportedValue):
        pack(Ask(1, "what", (value,)))
    assert unpack(pack(Answer(1, "well"))[4:]) == Answer(1, "well")


def test_facts_have_a_limit() -> None:
    """A value that is too large is refused where it is sent, and where it is read."""
    assert unpack(pack(Answer(1, bytes(MAX_FACTS_BYTES - 100)))[4:]).question == 1
    with pytest.raises(TooLarge):
        pack(Answer(1, bytes(MAX_FACTS_BYTES)))
    with pytest.raises(MalformedFrame):
        unpack(payload(NUMBERS[Answer], 1, (bytes(MAX_FACTS_BYTES),)))


def test_the_largest_message_travels() -> None:
    """An item of 10 MiB fits into a frame, with everything that is known of it."""
    large = Submit(1, 1.0, MESSAGE)._replace(message=_sized(MAX_ITEM_BYTES))
    assert unpack(memoryview(pack(large))[4:]).message.encoded == large.message.encoded


def test_a_letter_over_the_limit_of_frames_is_refused() -> None:
    """What no reader would take is not sent."""
    with pytest.raises(TooLarge):
        pack(Submit(1, 1.0, _sized(MAX_FRAME_BYTES)))


def test_threads_may_pack_at_the_same_time() -> None:
    """Every thread gets the letters that it wrote."""
    wrong = []

    def write(ticket: int) -> None:
        for number in range(500):
            letter = Ask(ticket, "what", (number, "x" * (ticket * 100)))
            if unpack(pack(letter)[4:]) != letter:
                wrong.append(letter)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_another_version_is_refused() -> None:
    """A greeting of any version can be read, so that it can be refused."""
    require_version(unpack(payload(NUMBERS[Greeting], VERSION)).version)
    for letter in (Greeting(VERSION + 1), Hello(VERSION + 1, 0, 1, 1, 1)):
        with pytest.raises(MalformedFrame, match=f"version {VERSION + 1}"):
            require_version(unpack(pack(letter)[4:]).version)


def test_numbers_of_kinds_stand() -> None:
    """What is called by a number in this version keeps it."""
    assert {kind.__name__: number for kind, number in NUMBERS.items()} == {
        "Greeting": 1,
        "Submit": 2,
        "Follow": 3,
        "Unfollow": 4,
        "Ask": 5,
        "Hello": 6,
        "Reached": 7,
        "Failed": 8,
        "Stored": 9,
        "Answer": 10,
        "Refusal": 11,
    }


def _sized(size: int):
    return letters.read_message(
        (FIRST, FIRST, False, b"compute", "ans104", (bytes(SECOND),)), bytes(size)
    )
