"""What JSON shows of messages and assignments, whatever codec they came in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from protocol.codecs.avro import Tag
from protocol.codecs.base64url import encode_base64url
from protocol.commitment import Commitment

Shown = dict[str, str | None]

_UPPER = re.compile(rb"[A-Z]")
_FIELDS = frozenset((b"id", b"anchor", b"owner", b"data", b"target", b"signature", b"commitments"))
"""Keys that are no tags: they have fields of their own."""


def shown_commitment(commitments: Sequence[Commitment]) -> Commitment:
    """Return whose owner and signature are shown: those of the first by commitment ID.

    JSON has room for one signer; HyperBEAM picks the same.
    """
    if len(commitments) == 1:
        return commitments[0]
    return min(commitments, key=lambda commitment: commitment.id.ascii)


def tags(pairs: Iterable[Tag]) -> list[Shown]:
    """Return tags with their names as they are; what is no UTF-8 is null."""
    return [{"name": text(name), "value": text(value)} for name, value in pairs]


def header_tags(keys: Mapping[bytes, bytes]) -> list[Shown]:
    """Return the keys of a message as tags named like HTTP headers, sorted by key."""
    return [
        {"name": header_case(name), "value": text(keys[name])}
        for name in sorted(keys)
        if name not in _FIELDS
    ]


def keeps_case(pairs: Iterable[Tag]) -> bool:
    """Tell whether a name has a capital letter, so that lower case would lose it."""
    return any(_UPPER.search(name) for name, _ in pairs)


@lru_cache(maxsize=4096)
def header_case(name: bytes) -> str | None:
    """Return ``data-protocol`` as ``Data-Protocol``, or None for what is no UTF-8.

    Empty words between dashes are dropped. Source: HyperBEAM's `dev_json_iface`.
    """
    known = text(name)
    if known is None:
        return None
    return "-".join(word[:1].title() + word[1:] for word in known.split("-") if word)


def text(value: bytes) -> str | None:
    """Return the bytes as text, or None where they are no UTF-8: JSON has no bytes."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def base64url(value: bytes) -> str:
    """Return the bytes as base64url without padding."""
    return encode_base64url(value).decode()
