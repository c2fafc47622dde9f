"""The JSON of the legacy scheduler units (variant ``ao.TN.1``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from protocol.assignment import Assignment
from protocol.codecs import legacy_assignment
from protocol.commitment import Commitment
from protocol.entry import Entry
from protocol.formats.carrier import carrier
from protocol.formats.plain import plain_keys
from protocol.formats.shown import Shown, base64url, header_tags, shown_commitment, tags, text
from protocol.ids import Id
from protocol.message import Message

Json = dict[str, Any]


def page(
    entries: Iterable[Entry], *, more: bool, by_nonce: bool, show_anchor: bool = False
) -> bytes:
    """Write a page of a schedule.

    Args:
        entries: in slot order; slot 0 is the process itself.
        more: whether the range goes on.
        by_nonce: cursors are nonces, as the request's were; else timestamps.
        show_anchor: show anchors that are no text as base64url, not as null.
    """
    edges = [
        {"node": node(entry, show_anchor=show_anchor), "cursor": _cursor(entry, by_nonce=by_nonce)}
        for entry in entries
    ]
    return orjson.dumps({"page_info": {"has_next_page": more}, "edges": edges})


def node(entry: Entry, *, show_anchor: bool = False) -> Json:
    """Return one slot: ``{"message": …, "assignment": …}``."""
    return {
        "message": message(entry.message, show_anchor=show_anchor),
        "assignment": assignment(entry.assignment, show_anchor=show_anchor),
    }


def process(entry: Entry) -> Json:
    """Return the process object that slot 0 makes."""
    shown = message(entry.message)
    return {
        "process_id": shown["id"],
        "block": height(entry.assignment.block.height),
        "owner": shown["owner"],
        "tags": shown["tags"],
        "timestamp": entry.assignment.timestamp,
        "data": shown["data"],
        "anchor": shown["anchor"],
        "signature": shown["signature"],
        "target": shown["target"] or None,
    }


def message(shown: Message, *, show_anchor: bool = False) -> Json:
    """Return a message; a data item keeps its tags as they were signed.

    Data that is no UTF-8 is null, where the older units mangled it. A message in another
    codec has its keys as tags, named like HTTP headers.
    """
    item = shown.item
    if item is None:
        keys = plain_keys(shown)
        named, data = header_tags(keys), keys.get(b"data", b"")
        anchor, target = text(keys.get(b"anchor", b"")), text(keys.get(b"target", b""))
    else:
        named, data = tags(item.tags), item.data
        anchor, target = _anchor(item.anchor, show_anchor=show_anchor), base64url(item.target)
    fields = _fields(shown.id, shown.commitments, named, anchor or None, target)
    fields["data"] = text(data)
    return fields


def assignment(shown: Assignment, *, show_anchor: bool = False) -> Json:
    """Return an assignment.

    One of variant ``ao.TN.1`` has the tags that were signed. Any other is given the names that
    readers of the older network look for; its signature is over the form of its own variant.
    """
    item = carrier(shown)
    if item is None:
        return _fields(shown.id, shown.commitments, tags(legacy_assignment.tags(shown)), None, "")
    anchor = _anchor(item.anchor, show_anchor=show_anchor)
    return _fields(shown.id, shown.commitments, tags(item.tags), anchor, base64url(item.target))


def height(number: int) -> str:
    """Return a block height as twelve digits."""
    return f"{number:0{legacy_assignment.HEIGHT_DIGITS}}"


def _fields(
    identifier: Id,
    commitments: tuple[Commitment, ...],
    named: list[Shown],
    anchor: str | None,
    target: str | None,
) -> Json:
    signed = shown_commitment(commitments)
    return {
        "id": str(identifier),
        "owner": {"address": str(signed.committer), "key": base64url(signed.owner)},
        "tags": named,
        "signature": base64url(signed.signature),
        "anchor": anchor,
        "target": target,
    }


def _anchor(anchor: bytes, *, show_anchor: bool) -> str | None:
    if not anchor:
        return None
    shown = text(anchor)
    return base64url(anchor) if shown is None and show_anchor else shown


def _cursor(entry: Entry, *, by_nonce: bool) -> str:
    assignment = entry.assignment
    return str(assignment.slot if by_nonce else assignment.timestamp)
