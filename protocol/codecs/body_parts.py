"""Nested messages as flat parts named by their paths, and back (``httpsig@1.0``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from protocol.errors import MalformedItem, TooLarge, UnsupportedValue
from protocol.tabm import Tabm

Part: TypeAlias = bytes | Mapping[bytes, bytes]
"""What stands under one path: a value, or the scalars of a nested message."""

EMPTY: Mapping[bytes, bytes] = {b"ao-types": b"empty-message"}
"""Stands for a nested message without keys, which would have no part otherwise."""

LONGEST_LINE = 4096
"""Bytes of the longest value that stands in a header line; a longer one is a part."""

DEEPEST = 32
"""Levels of nesting that are written."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of a message's body is read before it is refused.

    Attributes:
        parts: most parts of a multipart.
        depth: most messages around one value, which are segments of its part's path.
        lines: most header lines of all parts together, or values in JSON.
    """

    parts: int
    depth: int
    lines: int


REQUEST = Bounds(parts=64, depth=8, lines=4096)
"""What anybody may send."""

SCHEDULE = Bounds(parts=65_536, depth=16, lines=1_000_000)
"""What a page of a thousand assignments needs, with two signers each."""


def group(message: Tabm, is_line: Callable[[bytes, bytes], bool]) -> dict[bytes, Part]:
    """Return the parts of a message: its own values by key, nested ones by path (``a/b``).

    A nested message is one part with its scalars; a scalar that is no line is a part of
    its own, a message without keys is `EMPTY`, one with only messages in it has no part.

    Args:
        message: all of whose values become parts.
        is_line: whether a nested key and its value can stand as a header line.

    Raises:
        UnsupportedValue: a path would be read as another one, or is too deep.
    """
    parts: dict[bytes, Part] = {}
    for key, value in message.items():
        if isinstance(value, bytes):
            parts[_segment(key)] = value
        else:
            _group(parts, _segment(key), value, is_line, DEEPEST)
    return parts


def ungroup(parts: Mapping[bytes, Part], depth: int) -> dict[bytes, bytes | Tabm]:
    """Undo `group`.

    Raises:
        TooLarge: a path has more than `depth` segments.
        MalformedItem: a path has an empty segment, or two parts give one key.
    """
    message: dict[bytes, bytes | Tabm] = {}
    for path, part in parts.items():
        *parents, key = _segments(path, depth)
        place = message
        for parent in parents:
            place = _inside(place, parent, path)
        if isinstance(part, bytes):
            _put(place, key, part, path)
        else:
            inside = _inside(place, key, path)
            for name, value in part.items():
                _put(inside, name, value, path)
    return message


def _group(
    parts: dict[bytes, Part],
    path: bytes,
    nested: Tabm,
    is_line: Callable[[bytes, bytes], bool],
    levels: int,
) -> None:
    if not levels:
        raise UnsupportedValue("the message is nested too deeply")
    lines: dict[bytes, bytes] = {}
    for key, value in nested.items():
        if not isinstance(value, bytes):
            _group(parts, b"%s/%s" % (path, _segment(key)), value, is_line, levels - 1)
        elif is_line(key, value):
            lines[key] = value
        else:
            parts[b"%s/%s" % (path, _segment(key))] = value
    if lines == EMPTY:
        raise UnsupportedValue(f"{path[:80]!r} looks like an empty message and is none")
    if lines or not nested:
        parts[path] = lines or EMPTY


def _segment(key: bytes) -> bytes:
    if not key or b"/" in key:
        raise UnsupportedValue(f"key {key[:40]!r} cannot stand in the path of a part")
    return key


def _segments(path: bytes, depth: int) -> list[bytes]:
    segments = path.split(b"/", depth)
    if len(segments) > depth:
        raise TooLarge(f"a part is nested more than {depth} levels deep")
    if not all(segments):
        raise MalformedItem(f"the path {path[:80]!r} of a part has an empty segment")
    return segments


def _inside(place: dict[bytes, bytes | Tabm], key: bytes, path: bytes) -> dict[bytes, bytes | Tabm]:
    found = place.setdefault(key, {})
    if not isinstance(found, dict):
        raise MalformedItem(f"{path[:80]!r} is inside of what is no message")
    return found


def _put(place: dict[bytes, bytes | Tabm], key: bytes, value: bytes, path: bytes) -> None:
    if key in place:
        raise MalformedItem(f"key {key[:40]!r} comes twice in {path[:80]!r}")
    place[key] = value
