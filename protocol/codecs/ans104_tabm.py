"""An ANS-104 item as a message with its commitment (``ans104@1.0``), and the item back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from protocol.codecs.ans104 import Item, unsigned
from protocol.codecs.ans104_building import bundle_of, children_of
from protocol.codecs.ans104_bundle import FORMAT, MAP
from protocol.codecs.ans104_keys import DATA_KEY, data_key_of, keys_of, named_data_key
from protocol.codecs.ans104_opening import lower_tags, opened
from protocol.codecs.avro import Tag
from protocol.codecs.base64url import encode_base64url
from protocol.codecs.commitment_fields import PUBLIC_KEY, Claim, claims_of, with_claims
from protocol.codecs.signatures import SIGNATURE_TYPES, signature_type
from protocol.errors import InvalidId, InvalidSignature, TooLarge, UnsupportedValue
from protocol.ids import Id
from protocol.message_ids import linked, only
from protocol.tabm import Tabm

DEVICE = b"ans104@1.0"

DEEPEST = 4
"""Levels of bundles in bundles that are opened: each is hashed once more to be sure of it."""

NO_DATA = b"no-data"
"""Our own field: the key of the data is there, but it is a tag, and the item has no data."""

_BUNDLE = (*(name for name, _ in FORMAT), MAP)
_TYPES = {kind.name.encode(): kind for kind in SIGNATURE_TYPES.values()}


def tabm_of(item: Item, levels: int = DEEPEST) -> dict[bytes, bytes | Tabm]:
    """Return the message an item carries, with its commitment and the messages inside it.

    A bundle stays one value when its items cannot be put together again to the same bytes.
    The tags as they were are kept in the commitment (`original-tags`) whenever the keys
    alone would not give them back. Source: HyperBEAM's `dev_codec_ans104`, which keeps them
    only for the case of their names.
    """
    keys = opened(item, levels, tabm_of)
    if keys is not None:
        tabm = _committed(item, keys)
        again = item_of(tabm)
        if again and again.encode() == item.encode():
            return tabm
    return _committed(item, keys_of(item))


def item_of(tabm: Tabm) -> Item | None:
    """Return the item that an ANS-104 commitment is over, or None without exactly one.

    If the item verifies, its bytes are those that were signed.

    Raises:
        InvalidSignature: the commitment cannot be that of an item.
    """
    claims = [claim for claim in claims_of(tabm) if claim.device == DEVICE]
    return item_for(tabm, claims[0]) if len(claims) == 1 else None


def item_for(tabm: Tabm, claim: Claim) -> Item:
    """Return the item that this commitment of the message is over.

    Raises:
        InvalidSignature: it cannot be that of an item, or it is not over these keys.
    """
    kind = _TYPES.get(claim.type)
    if kind is None or len(claim.signature) != kind.signature_bytes:
        raise InvalidSignature("a commitment is of no signature type of ANS-104")
    if len(claim.owner) != kind.owner_bytes:
        raise InvalidSignature("a commitment's key has not the size of its type")
    target, anchor = _field(claim, b"field-target"), _field(claim, b"field-anchor")
    try:
        keys = only(tabm, claim.committed)
        keys = keys if claim.bundle else linked(keys)
        item = unsigned(_tags(keys, claim), _data(keys, claim), target, anchor)
    except (KeyError, TooLarge, UnsupportedValue):
        raise InvalidSignature("a commitment is not over the keys of this message") from None
    return replace(item, signature_type=kind.number, signature=claim.signature, owner=claim.owner)


def original_tags(tags: Tabm) -> Iterator[Tag]:
    """Return the tags that a commitment keeps as `original-tags`, in their order.

    Raises:
        InvalidSignature: they are no numbered maps of name and value.
    """
    for number in range(1, len(tags) + 1 - (b"ao-types" in tags)):
        tag = tags.get(b"%d" % number)
        if not isinstance(tag, Mapping) or not {b"name", b"value"} <= tag.keys():
            raise InvalidSignature("a commitment's original-tags are malformed")
        yield _leaf(tag[b"name"]), _leaf(tag[b"value"])


def _committed(item: Item, keys: Tabm) -> dict[bytes, bytes | Tabm]:
    claim = _claim(item, keys)
    if any(name.lower() != name for name, _ in item.tags) or _tags(keys, claim) != item.tags:
        claim = replace(claim, rest={**claim.rest, b"original-tags": _listed(item.tags)})
    return with_claims(keys, (claim,))


def _claim(item: Item, keys: Tabm) -> Claim:
    fields = {b"field-target": item.target, b"field-anchor": item.anchor}
    lower = lower_tags(item)
    rest: dict[bytes, bytes | Tabm] = {name: lower[name] for name in _BUNDLE if name in lower}
    rest |= {name: Id(field).ascii for name, field in fields.items() if field}
    if not item.data and named_data_key(lower.get(DATA_KEY, b"")) in keys:
        rest[NO_DATA] = b"true"
    return Claim(
        device=DEVICE,
        type=signature_type(item.signature_type).name.encode(),
        keyid=PUBLIC_KEY + encode_base64url(item.owner),
        signature=item.signature,
        committed=tuple(_base(key, keys) for key in keys),
        rest={**rest, b"bundle": b"true" if b"bundle-format" in lower else b"false"},
    )


def _base(key: bytes, keys: Tabm) -> bytes:
    base = key.removesuffix(b"+link")
    return key if base in keys else base


def _tags(keys: Tabm, claim: Claim) -> tuple[Tag, ...]:
    original = claim.rest.get(b"original-tags")
    if isinstance(original, Mapping):
        return tuple(original_tags(original))
    return tuple(_plain(keys, claim))


def _plain(keys: Tabm, claim: Claim) -> Iterator[Tag]:
    data_key = data_key_of(keys)
    skipped = {data_key} & keys.keys()
    skipped |= {name for name in (b"target", b"anchor") if b"field-" + name in claim.rest}
    if FORMAT[0][0] in claim.rest:
        skipped |= children_of(keys, data_key).keys()
    for name in _BUNDLE:
        if isinstance(value := claim.rest.get(name), bytes):
            yield name, value
    if data_key != b"data":
        yield DATA_KEY, data_key
    for key in claim.committed:
        name = key if key in keys else key + b"+link"
        if key not in skipped:
            yield name, _leaf(keys[name])


def _data(keys: Tabm, claim: Claim) -> bytes:
    if NO_DATA in claim.rest:
        return b""
    data_key = data_key_of(keys)
    original = claim.rest.get(b"original-tags")
    if isinstance(original, Mapping):
        named = [value for name, value in original_tags(original) if name.lower() == DATA_KEY]
        data_key = named_data_key(named[0] if named else b"")
    if FORMAT[0][0] in claim.rest and (children := children_of(keys, data_key)):
        return bundle_of(children, item_of, named=MAP in claim.rest)
    return _leaf(keys.get(data_key, b""))


def _field(claim: Claim, name: bytes) -> bytes:
    try:
        return Id.parse(_leaf(claim.rest[name])) if name in claim.rest else b""
    except InvalidId:
        raise InvalidSignature(f"a commitment's {name.decode()} is no ID") from None


def _listed(tags: tuple[Tag, ...]) -> dict[bytes, bytes | Tabm]:
    listed: dict[bytes, bytes | Tabm] = {
        b"%d" % number: {b"name": name, b"value": value}
        for number, (name, value) in enumerate(tags, 1)
    }
    return listed


def _leaf(value: bytes | Tabm) -> bytes:
    if not isinstance(value, bytes):
        raise InvalidSignature("a nested message stands where an item has text")
    return value
