"""Texts built to be expensive: work and memory grow no faster than their length."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from contextlib import suppress

import pytest

from protocol.codecs import ao_types, httpsig, inline_values, json_codec, percent, sf
from protocol.codecs.body_parts import SCHEDULE
from protocol.codecs.wire import Wire
from protocol.errors import InvalidInput, MalformedItem, TooLarge

Read = Callable[[bytes], object]
Build = Callable[[int], bytes]

SHORT, LONG = 400, 1_600
MEGABYTE = 2**20
PARTS = ((b"content-type", b"multipart/form-data; boundary=B"),)


def request(body: bytes) -> object:
    """Read a body of parts with the bounds of a request."""
    return httpsig.decode(Wire(PARTS, body))


def schedule(body: bytes) -> object:
    """Read a body of parts with the bounds of a peer's schedule."""
    return httpsig.decode(Wire(PARTS, body), SCHEDULE)


def listed(text: bytes) -> object:
    """Read a list in one value."""
    return inline_values.read(text, b"list")


def parts(*texts: bytes) -> bytes:
    return b"--B\r\n" + b"\r\n--B\r\n".join(texts) + b"\r\n--B--"


def part(name: bytes, rest: bytes) -> bytes:
    return b'content-disposition: form-data;name="%s"\r\n%s' % (name, rest)


BODIES: list[Build] = [
    lambda n: b"--B\r\n" * n + b"\r\n--B--",
    lambda n: b"\r\n--B" * n,
    lambda n: b"--B-" * n,
    lambda n: b"--B\r\n" + b"\r\n--B-" * n,
    lambda n: parts(b"a: b\r\n" * n),
    lambda n: parts(b"\r\n" * n),
    lambda n: parts(b"x: " + b"\r" * n),
    lambda n: parts(*[part(b"a", b"")] * n),
    lambda n: parts(*(part(b"%d" % number, b"k: v") for number in range(n))),
    lambda n: parts(*(part(b"a/" * 7 + b"%d" % number, b"k: v") for number in range(n))),
    lambda n: parts(part(b"a/" * n, b"\r\n")),
    lambda n: parts(part(b"a" * n + b"\\", b"\r\n")),
    lambda n: parts(part(b"a", b"".join(b"%d: v\r\n" % number for number in range(n)) + b"k: v")),
    lambda n: parts(b"content-disposition: " + b"a;" * n),
    lambda n: parts(b"content-disposition: " + b"a;b" * n),
    lambda n: parts(b"content-disposition: " + b" " * n),
]
FIELDS: list[Build] = [
    lambda n: b"a," * n,
    lambda n: b"a, " * n + b"a",
    lambda n: b"a" + b";a" * n,
    lambda n: b"(" * n,
    lambda n: b"(" + b'"a" ' * n + b")",
    lambda n: b'"' + b"\\\\" * n,
    lambda n: b":" + b"A" * n + b":",
    lambda n: b"1" * n,
    lambda n: b"a" + b"\t" * n + b"b",
    lambda n: b'a="' + b"%" * n + b'"',
    lambda n: b'%"' + b"%c3" * n + b'"',
]
TYPES: list[Build] = [
    lambda n: b", ".join(b'%d="integer"' % number for number in range(n)),
    lambda n: b'a="b"' + b" " * n + b"x",
    lambda n: b'a="b", ' * n,
    lambda n: b"a" * n + b"=",
    lambda n: b'a="' + b"b" * n,
    lambda n: b"%41" * n,
    lambda n: b"%" * n,
]
LISTS: list[Build] = [
    lambda n: b'"(ao-type-integer) 1", ' * n + b"1",
    lambda n: b'"(ao-type-list) ' + b'\\"' * n + b'"',
    lambda n: b'"(ao-type-float) ' + b"1" * n + b'.0"',
]
JSONS: list[Build] = [
    lambda n: b"[" * n,
    lambda n: b'{"a":' * n,
    lambda n: b'{"a":[' + b"[]," * n + b"1]}",
    lambda n: b'{"ao-types":"' + b"a=1," * n + b'"}',
    lambda n: b'{"a":' + b"9" * n + b"}",
    lambda n: b"{" + b",".join(b'"%d":1.5' % number for number in range(n)) + b"}",
]
CASES: list[tuple[Read, Build]] = [
    *((request, build) for build in BODIES),
    *((schedule, build) for build in BODIES),
    *((sf.parse_dictionary, build) for build in FIELDS),
    *((sf.parse_list, build) for build in FIELDS),
    *((sf.parse_item, build) for build in FIELDS),
    *((ao_types.read, build) for build in TYPES),
    *((percent.unescape, build) for build in TYPES),
    *((listed, build) for build in LISTS),
    *((json_codec.decode, build) for build in JSONS),
]


def named(value: object) -> str:
    """The reader by its name, the text by how it begins."""
    try:
        return repr(value(2)[:40])
    except (TypeError, InvalidInput):
        return value.__name__


@pytest.mark.parametrize(("read", "build"), CASES, ids=named)
def test_work_grows_no_faster_than_length(read: Read, build: Build) -> None:
    """A text four times as long takes at most about four times the steps, or is refused early."""
    assert steps(read, build(LONG)) <= 5 * steps(read, build(SHORT)) + 500


@pytest.mark.parametrize("build", BODIES, ids=named)
def test_a_hostile_request_costs_little_memory(build: Build) -> None:
    """A megabyte built to be expensive is refused within a few times its own size."""
    size = len(build(SHORT)) / SHORT
    body = build(int(MEGABYTE / size))
    tracemalloc.start()
    try:
        with pytest.raises((MalformedItem, TooLarge)):
            request(body)
        assert tracemalloc.get_traced_memory()[1] < 6 * len(body)
    finally:
        tracemalloc.stop()


def steps(read: Read, text: bytes) -> int:
    """Lines of Python that reading runs through; what each does is linear by its library."""
    count = 0

    def count_line(_frame, event, _arg):
        nonlocal count
        count += event == "line"
        return count_line

    before = sys.gettrace()
    sys.settrace(count_line)
    try:
        with suppress(InvalidInput):
            read(text)
    finally:
        sys.settrace(before)
    return count
