"""`ao-types`: which keys of a message are no text, as one header (``structured@1.0``)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from protocol.codecs.percent import escape, unescape
from protocol.errors import MalformedItem

KEY = b"ao-types"
LIST = b"list"
ITSELF = b"."
"""The member that speaks of the message and not of one of its keys."""

# No parser of structured fields takes these keys: they start with digits, dots and percents.
_MEMBER = re.compile(rb'([^\s,=";]+)="([A-Za-z][A-Za-z0-9_-]*)"')
_MEMBERS = re.compile(rb"%s(?:[ \t]*,[ \t]*%s)*" % (_MEMBER.pattern, _MEMBER.pattern))


def write(types: Mapping[bytes, bytes]) -> bytes:
    """Write key to type name, sorted by key."""
    return b", ".join(b'%s="%s"' % (escape(key), types[key]) for key in sorted(types))


def read(text: bytes) -> dict[bytes, bytes]:
    """Read key to type name; the names of types in lower case.

    Raises:
        MalformedItem: it is no list of ``key="type"``.
    """
    if not text:
        return {}
    if not _MEMBERS.fullmatch(text):
        raise MalformedItem("ao-types is no list of types")
    return {unescape(key): kind.lower() for key, kind in _MEMBER.findall(text)}


def lower_keys(text: bytes) -> bytes:
    """Return an `ao-types` value with the names of its keys in lower case, sorted.

    What is no list of ``key="type"`` stays as it is. Source: HyperBEAM's
    `dev_codec_ans104`, which lower-cases every other name of a data item too.
    """
    if not _MEMBERS.fullmatch(text):
        return text
    return write({unescape(key).lower(): kind for key, kind in _MEMBER.findall(text)})
