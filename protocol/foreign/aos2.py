"""Schedules as ``application/aos-2``, for nodes whose bundles lack their own signatures."""

from __future__ import annotations

from protocol.assignment import Assignment
from protocol.codecs.assignment import of_tabm, verifies
from protocol.codecs.base64url import encode_base64url
from protocol.commitment import RSA_SCHEMES
from protocol.entry import Entries, Entry
from protocol.errors import InvalidSignature
from protocol.foreign.prefix import readable
from protocol.foreign.shown_item import (
    Json,
    anchor,
    base64_field,
    child,
    edges,
    item,
    parsed,
    tags,
    text,
)
from protocol.ids import Id, digest_id
from protocol.message import Message
from protocol.tabm import COMMITMENTS, Tabm


def page(body: bytes, most: int) -> Entries:
    """Read a page of at most `most` slots whose messages are data items.

    The JSON says neither how an assignment was signed nor how tags were spelled: what was
    signed is found out by its signature, so everything returned has verified.

    Raises:
        InvalidInput: it is none, or its first slot is shown in no form that was signed.
    """
    reply = parsed(body)
    goes_on = bool(child(reply, "page_info").get("has_next_page"))
    return readable(edges(reply, most), _entry, more=goes_on)


def _entry(node: Json) -> Entry:
    message = _message(child(node, "message"))
    return Entry(_assignment(child(node, "assignment"), message.id), message)


def _message(shown: Json) -> Message:
    pairs = tags(shown, "Tags")
    lower = tuple((name.lower(), value) for name, value in pairs)
    for candidate in (pairs, lower):
        found = item(
            signature=base64_field(shown, "Signature"),
            owner=base64_field(shown, "PublicKey"),
            pairs=candidate,
            target=base64_field(shown, "Target"),
            anchor=anchor(shown, "Anchor"),
            data=text(shown, "Data").encode(),
        )
        if found.verify():
            return Message.decode(found.encode())
    raise InvalidSignature("a message is shown in no form that its sender signed")


def _assignment(shown: Json, message_id: Id) -> Assignment:
    keys: dict[bytes, bytes | Tabm] = {name.lower(): value for name, value in tags(shown, "Tags")}
    keys[b"body+link"] = message_id.ascii
    for device in RSA_SCHEMES:
        assignment = of_tabm({**keys, COMMITMENTS: _commitments(shown, device)})
        if verifies(assignment, assignment.commitments[0]):
            return assignment
    raise InvalidSignature("an assignment is shown in no form that its scheduler signed")


def _commitments(shown: Json, device: str) -> Tabm:
    signature = base64_field(shown, "Signature")
    owner = base64_field(shown, "PublicKey")
    fields = {
        b"commitment-device": device.encode(),
        b"type": RSA_SCHEMES[device].encode(),
        b"committer": digest_id(owner).ascii,
        b"keyid": encode_base64url(owner),
        b"signature": encode_base64url(signature),
    }
    return {digest_id(signature).ascii: fields}
