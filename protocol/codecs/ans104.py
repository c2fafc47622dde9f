"""ANS-104 data items: parse, build, sign, verify, and the form that bundlers take."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from protocol.codecs.avro import Tag, decode_tags, encode_tags
from protocol.codecs.canonical import limit_flaw, tag_flaw
from protocol.codecs.deephash import fold, list_seed
from protocol.codecs.signatures import RSA, signature_type
from protocol.errors import MalformedItem, NotCanonical, TooLarge
from protocol.ids import ID_BYTES, Id, digest_id
from protocol.wallet import Wallet

MAX_ITEM_BYTES = 10 << 20
"""Largest item taken, as the legacy scheduler unit does."""

MAX_READ_TAG_BYTES = 64 << 10
"""Largest tag block that is read at all. Empty tags are two bytes on the wire and fifty times
that in memory; what is scheduled is bounded far lower."""

_RSA = signature_type(RSA)
_NOBODY = bytes(_RSA.owner_bytes)
"""The owner of an unsigned item."""

_TAG_HEADER = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class Item:
    """A data item, field by field as on the wire.

    Attributes:
        signature_type: 1 RSA-4096, 2 Ed25519, 3 Ethereum.
        signature, owner: sized by the type; all zero in an unsigned item.
        target: 32 bytes, or empty.
        anchor: 32 bytes, or empty.
        tags: (name, value) in wire order, as `tag_bytes` says.
        tag_bytes: the Avro block that is signed.
        data: any bytes.
        tag_count: the header's count, which HyperBEAM does not check.
        flaw: why bundlers would not take the item, "" if they would.
    """

    signature_type: int
    signature: bytes = field(repr=False)
    owner: bytes = field(repr=False)
    target: bytes
    anchor: bytes
    tags: tuple[Tag, ...]
    tag_bytes: bytes = field(repr=False)
    data: bytes = field(repr=False)
    tag_count: int
    flaw: str = ""

    @property
    def id(self) -> Id:
        """SHA-256 of the signature."""
        return digest_id(self.signature)

    @property
    def unsigned_id(self) -> Id:
        """SHA-256 of what an RSA wallet of 512 zero bytes would sign. Source: HyperBEAM."""
        return digest_id(self._signature_data(RSA, _NOBODY))

    @property
    def owner_address(self) -> Id:
        """SHA-256 of the owner's public key."""
        return digest_id(self.owner)

    def signature_data(self) -> bytes:
        """The 48 bytes that are signed: the deep hash of all fields but the signature."""
        return self._signature_data(self.signature_type, self.owner)

    def verify(self) -> bool:
        """Tell whether the owner signed exactly this item."""
        kind = signature_type(self.signature_type)
        return kind.verify(self.owner, self.signature_data(), self.signature)

    def encode(self) -> bytes:
        """Serialise: the bytes it was parsed from, or the canonical form of a built item."""
        return b"".join(
            (
                self.signature_type.to_bytes(2, "little"),
                self.signature,
                self.owner,
                _optional(self.target),
                _optional(self.anchor),
                _TAG_HEADER.pack(self.tag_count, len(self.tag_bytes)),
                self.tag_bytes,
                self.data,
            )
        )

    def _signature_data(self, number: int, owner: bytes) -> bytes:
        seed = owner_prefix(number, owner)
        return fold(seed, self.target, self.anchor, self.tag_bytes, self.data)


@lru_cache(maxsize=64)
def owner_prefix(number: int, owner: bytes) -> bytes:
    """The deep hash's accumulator up to the owner: the same for all items of one wallet."""
    return fold(list_seed(8), b"dataitem", b"1", b"%d" % number, owner)


def parse(raw: bytes) -> Item:
    """Read an item. Nothing is taken at its word: every length is checked first.

    Raises:
        MalformedItem: the bytes are no data item.
        UnsupportedSignature: its signature type is unknown, so its fields cannot be found.
        TooLarge: it is over 10 MiB, or its tags are over 64 KiB.
    """
    if len(raw) > MAX_ITEM_BYTES:
        raise TooLarge(f"the item is over {MAX_ITEM_BYTES} bytes")
    if len(raw) < 2:
        raise MalformedItem("the item ends before its signature type")
    number = int.from_bytes(raw[:2], "little")
    kind = signature_type(number)
    owner_at = 2 + kind.signature_bytes
    target_at = owner_at + kind.owner_bytes
    target, anchor_at = _read_optional(raw, target_at, "target")
    anchor, tags_at = _read_optional(raw, anchor_at, "anchor")
    count, tag_bytes, data_at = _read_tag_block(raw, tags_at)
    tags, minimal = decode_tags(tag_bytes)
    return Item(
        signature_type=number,
        signature=raw[2:owner_at],
        owner=raw[owner_at:target_at],
        target=target,
        anchor=anchor,
        tags=tags,
        tag_bytes=tag_bytes,
        data=raw[data_at:],
        tag_count=count,
        flaw=tag_flaw(count, tags, tag_bytes, minimal=minimal),
    )


def require_canonical(item: Item) -> None:
    """Insist on the one form that bundlers take, so that no item can jam publication.

    Raises:
        NotCanonical: a count that lies, tags in several blocks or wasteful numbers, or more
            or longer tags than ANS-104 allows; the detail says which.
    """
    if item.flaw:
        raise NotCanonical(f"bundlers would not take the item: {item.flaw}")


def unsigned(
    tags: Sequence[Tag] = (), data: bytes = b"", target: bytes = b"", anchor: bytes = b""
) -> Item:
    """Build an item with a zero signature and owner.

    Args:
        tags: (name, value) in the order they are signed in.
        data: any bytes.
        target: 32 raw bytes or empty.
        anchor: 32 raw bytes or empty.

    Raises:
        TooLarge: more or longer tags than ANS-104 allows.
    """
    tag_bytes = encode_tags(tags)
    if flaw := limit_flaw(tags, tag_bytes):
        raise TooLarge(flaw)
    return Item(
        signature_type=RSA,
        signature=bytes(_RSA.signature_bytes),
        owner=_NOBODY,
        target=target,
        anchor=anchor,
        tags=tuple(tags),
        tag_bytes=tag_bytes,
        data=data,
        tag_count=len(tags),
    )


def sign(item: Item, wallet: Wallet) -> Item:
    """Return the item signed by `wallet`."""
    signature = wallet.sign(item._signature_data(RSA, wallet.owner))
    return with_signature(item, wallet.owner, signature)


def with_signature(item: Item, owner: bytes, signature: bytes) -> Item:
    """Return the item carrying an RSA signature made elsewhere."""
    return replace(item, signature_type=RSA, signature=signature, owner=owner)


def _optional(field: bytes) -> bytes:
    return b"\x01" + field if field else b"\x00"


def _read_optional(raw: bytes, at: int, name: str) -> tuple[bytes, int]:
    presence = raw[at : at + 1]
    if presence == b"\x00":
        return b"", at + 1
    field = raw[at + 1 : at + 1 + ID_BYTES]
    if presence and presence != b"\x01":
        raise MalformedItem(f"the byte before the {name} is neither 0 nor 1")
    if len(field) != ID_BYTES:
        raise MalformedItem(f"the item ends before its {name} does")
    return field, at + 1 + ID_BYTES


def _read_tag_block(raw: bytes, at: int) -> tuple[int, bytes, int]:
    tags_at = at + _TAG_HEADER.size
    if len(raw) < tags_at:
        raise MalformedItem("the item ends before its tags do")
    count, size = _TAG_HEADER.unpack_from(raw, at)
    if size > len(raw) - tags_at:
        raise MalformedItem(f"{size} bytes of tags are announced, {len(raw) - tags_at} are there")
    if size > MAX_READ_TAG_BYTES:
        raise TooLarge(f"the tags are over {MAX_READ_TAG_BYTES} bytes")
    return count, raw[tags_at : tags_at + size], tags_at + size
