"""The schedule as ``application/aos-2``, HyperBEAM's JSON for readers of the older network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from protocol.assignment import Assignment
from protocol.codecs.ans104 import Item
from protocol.codecs.ans104_keys import keys_of
from protocol.commitment import ANS104, Commitment
from protocol.entry import Entry
from protocol.formats.carrier import carrier
from protocol.formats.frame import Frame
from protocol.formats.plain import plain_keys
from protocol.formats.shown import (
    Shown,
    base64url,
    header_tags,
    keeps_case,
    shown_commitment,
    tags,
    text,
)
from protocol.ids import ID_BYTES, Id
from protocol.message import Message

_BODY_LINK = b"body+link"
"""The assignment's key for its message, which stands beside it."""

Json = dict[str, Any]


def schedule(frame: Frame, entries: Iterable[Entry]) -> bytes:
    """Write a page of a schedule; the cursor of an edge is its slot.

    Keys are sorted, as HyperBEAM writes them. A value that is no UTF-8 is null. Source:
    HyperBEAM's `dev_scheduler_formats` and `dev_json_iface`, recorded vectors.
    """
    page = {"edges": [_edge(entry) for entry in entries], "page_info": _page_info(frame)}
    return orjson.dumps(page)


def node(entry: Entry) -> Json:
    """Return one slot: ``{"assignment": …, "message": …}``."""
    return {"assignment": assignment(entry.assignment), "message": message(entry.message)}


def message(shown: Message) -> Json:
    """Return a message as the node of an edge shows it.

    Tags of a data item keep their names and order if one has a capital letter; else, and in
    every other codec, they are the keys, named like HTTP headers.
    """
    keys = plain_keys(shown)
    return _fields(shown.id, shown.commitments, keys, _tags(shown.item, keys))


def assignment(shown: Assignment) -> Json:
    """Return an assignment as the node of an edge shows it, without its message."""
    item = carrier(shown)
    if item is not None:
        return _fields(shown.id, shown.commitments, keys_of(item), tags(item.tags))
    keys = dict(shown.tags())
    del keys[_BODY_LINK]
    return _fields(shown.id, shown.commitments, keys, header_tags(keys))


def _edge(entry: Entry) -> Json:
    return {"cursor": entry.assignment.slot, "node": node(entry)}


def _tags(item: Item | None, keys: Mapping[bytes, bytes]) -> list[Shown]:
    if item is not None and keeps_case(item.tags):
        return tags(item.tags)
    return header_tags(keys)


def _page_info(frame: Frame) -> Json:
    return {
        "block-hash": frame.block.hash,
        "block-height": str(frame.block.height),
        "has_next_page": frame.more,
        "process": str(frame.process),
        "timestamp": str(frame.timestamp),
    }


def _fields(
    identifier: Id,
    commitments: tuple[Commitment, ...],
    keys: Mapping[bytes, bytes],
    named: list[Shown],
) -> Json:
    signed = shown_commitment(commitments)
    owner = str(signed.committer)
    sender = keys.get(b"from-process")
    return {
        "Anchor": text(keys.get(b"anchor", b"")),
        "Data": text(keys.get(b"data", b"")),
        "From": owner if sender is None else _identifier(sender),
        "Id": str(identifier),
        "Owner": owner,
        "PublicKey": _public_key(signed),
        "Signature": base64url(signed.signature),
        "Tags": named,
        "Target": _identifier(keys.get(b"target", b"")),
    }


def _identifier(value: bytes) -> str | None:
    return base64url(value) if len(value) == ID_BYTES else text(value)


def _public_key(signed: Commitment) -> str:
    # As the device itself writes a key: httpsig@1.0 in standard base64, with its padding.
    return base64url(signed.owner) if signed.device == ANS104 else b64encode(signed.owner).decode()
