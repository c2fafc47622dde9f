"""Assignments read back, from messages and from data items: signed, and nothing verified."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping

from protocol.assignment import EPOCH, LEGACY_VARIANT, VARIANT, Assignment, Block
from protocol.chain import BaseHashpath, HashChain, LegacyChain
from protocol.codecs.ans104 import Item
from protocol.codecs.signatures import signature_type
from protocol.commitment import ANS104, RSA_SCHEMES, Commitment
from protocol.errors import MalformedItem
from protocol.ids import Id, combine, digest_id
from protocol.tabm import COMMITMENTS, Tabm

MAX_DIGITS = 18
"""Longest number read here; all of them fit into eight bytes."""

_BODY, _LINK = b"body", b"body+link"
_CHAINS = (HashChain.name, BaseHashpath.name)
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def of_tabm(message: Tabm) -> Assignment:
    """Read an assignment of variant ``ao.N.1`` from a message with its commitments.

    Its body may be inline or a link; keys that no assignment has are passed over.

    Raises:
        MalformedItem, InvalidId: it is none, or it is signed in a form that is not known.
    """
    return _current(message, _signatures(message))


def of_item(item: Item) -> Assignment:
    """Read an assignment of either variant from its data item.

    Raises:
        MalformedItem, InvalidId: it is none.
    """
    found = dict(item.tags)
    commitments = (_item_commitment(item),)
    if b"Variant" in found:
        return _legacy(found, commitments, item.encode())
    return _current(found, commitments)


def _current(message: Tabm, commitments: tuple[Commitment, ...]) -> Assignment:
    kind = (_text(message, b"type"), _text(message, b"variant"), _text(message, b"epoch"))
    if kind != ("Assignment", VARIANT, EPOCH):
        raise MalformedItem(f"not an assignment of variant {VARIANT}")
    chain, link = _link(message)
    return Assignment(
        process=Id.parse(_leaf(message, b"process")),
        slot=_number(message, b"slot"),
        message_id=_message_id(message),
        link=link,
        timestamp=_number(message, b"timestamp"),
        block=Block(
            _number(message, b"block-height"),
            _number(message, b"block-timestamp"),
            _text(message, b"block-hash"),
        ),
        path=_leaf(message, b"path"),
        chain=chain,
        commitments=commitments,
    )


def _legacy(message: Tabm, commitments: tuple[Commitment, ...], original: bytes) -> Assignment:
    kind = (_text(message, b"Type"), _text(message, b"Variant"))
    if kind != ("Assignment", LEGACY_VARIANT):
        raise MalformedItem(f"not an assignment of variant {LEGACY_VARIANT}")
    process = Id.parse(_leaf(message, b"Process"))
    return Assignment(
        process=process,
        slot=_number(message, b"Nonce"),
        message_id=Id.parse(_leaf(message, b"Message")) if b"Message" in message else process,
        link=str(Id.parse(_leaf(message, LegacyChain.key.encode()))),
        timestamp=_number(message, b"Timestamp"),
        block=Block(_number(message, b"Block-Height")),
        chain=LegacyChain.name,
        variant=LEGACY_VARIANT,
        epoch=_text(message, b"Epoch"),
        commitments=commitments,
        original=original,
    )


def _item_commitment(item: Item) -> Commitment:
    return Commitment(
        id=item.id,
        committer=item.owner_address,
        device=ANS104,
        type=signature_type(item.signature_type).name,
        owner=item.owner,
        signature=item.signature,
    )


def _signatures(message: Tabm) -> tuple[Commitment, ...]:
    """The commitments with a committer; an HMAC anybody can make is none."""
    found = tuple(
        _commitment(name, fields)
        for name, fields in _map(message, COMMITMENTS).items()
        if isinstance(fields, Mapping) and b"committer" in fields
    )
    if len({commitment.device for commitment in found}) != 1:
        raise MalformedItem("the assignment is not signed under one commitment device")
    return found


def _commitment(name: bytes, fields: Tabm) -> Commitment:
    device = _text(fields, b"commitment-device")
    if fields.get(b"bundle", b"false") != b"false" or device not in RSA_SCHEMES:
        raise MalformedItem("the assignment is signed in a form that is not known")
    signature = _base64(_leaf(fields, b"signature"))
    identity = digest_id(signature)
    if name != identity.ascii:
        raise MalformedItem("a commitment stands under another ID than its own")
    return Commitment(
        id=identity,
        committer=Id.parse(_leaf(fields, b"committer")),
        device=device,
        type=_text(fields, b"type"),
        owner=_base64(_leaf(fields, b"keyid").removeprefix(b"publickey:")),
        signature=signature,
    )


def _message_id(message: Tabm) -> Id:
    if _LINK in message:
        return Id.parse(_leaf(message, _LINK))
    commitments = _map(_map(message, _BODY), COMMITMENTS)
    signed = [
        Id.parse(name)
        for name, fields in commitments.items()
        if isinstance(fields, Mapping) and b"committer" in fields
    ]
    if not signed:
        raise MalformedItem("the assigned message is not signed")
    return combine(signed)


def _link(message: Tabm) -> tuple[str, str]:
    chains = [name for name in _CHAINS if name.encode() in message]
    if len(chains) != 1:
        raise MalformedItem("an assignment carries one chain, not more and not less")
    text = _text(message, chains[0].encode())
    parts = text.split("/") if chains[0] == BaseHashpath.name else [text]
    if len(parts) > 2:
        raise MalformedItem("a hashpath has two parts at most")
    for part in parts:
        Id.parse(part)
    return chains[0], text


def _map(message: Tabm, key: bytes) -> Tabm:
    value = message.get(key)
    if not isinstance(value, Mapping):
        raise MalformedItem(f"the assignment has no {key.decode()}")
    return value


def _leaf(message: Tabm, key: bytes) -> bytes:
    value = message.get(key)
    if not isinstance(value, bytes):
        raise MalformedItem(f"the assignment has no {key.decode()}")
    return value


def _text(message: Tabm, key: bytes) -> str:
    try:
        return _leaf(message, key).decode()
    except UnicodeDecodeError:
        raise MalformedItem(f"the assignment's {key.decode()} is no text") from None


def _number(message: Tabm, key: bytes) -> int:
    text = _leaf(message, key)
    if not (text.isdigit() and len(text) <= MAX_DIGITS):
        raise MalformedItem(f"the assignment's {key.decode()} is no number")
    return int(text)


def _base64(text: bytes) -> bytes:
    """Read base64 in either alphabet, padded or not."""
    unpadded = text.rstrip(b"=").translate(_URL_SAFE)
    try:
        return b64decode(unpadded + b"=" * (-len(unpadded) % 4), validate=True)
    except Base64Error:
        raise MalformedItem("what should be base64 is none") from None
