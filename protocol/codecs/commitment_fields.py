"""Commitments as a message carries them: the nested map under `commitments`, unverified."""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from protocol.codecs.base64url import decode_base64url, encode_base64url
from protocol.commitment import Commitment
from protocol.errors import InvalidSignature
from protocol.ids import ID_BYTES, Id, digest_id
from protocol.tabm import COMMITMENTS, Tabm

PUBLIC_KEY = b"publickey:"
"""Begins the `keyid` of a commitment that only the owner of a key can make."""

HMAC = b"hmac-sha256"
MAX_COMMITMENTS = 16
"""Most commitments read from one message, HMACs included; far above what clients make."""

_TIME = re.compile(rb"[0-9]{1,15}")
_NAMED = frozenset(
    (b"commitment-device", b"type", b"keyid", b"committer", b"signature", b"committed", b"ao-types")
)
COMPONENTS = b"components"
"""Our own field: the order of signed headers, where the committed keys do not tell it."""

INTEGERS = frozenset((b"created", b"expires"))
"""Parameters that are integers; all others are text."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One commitment by its fields; only its ID is known to belong to its signature.

    Attributes:
        device: commitment device, such as ``httpsig@1.0``.
        type: signature scheme by HyperBEAM's name, such as ``rsa-pss-sha512``.
        keyid: the key as the device writes it; it is part of what httpsig signs.
        signature: raw signature or MAC.
        committed: the keys it is over, without ``+link``, in its own order.
        rest: every other field, such as `bundle`, `tag` or `original-tags`.
    """

    device: bytes
    type: bytes
    keyid: bytes
    signature: bytes = field(repr=False)
    committed: tuple[bytes, ...]
    rest: Mapping[bytes, bytes | Tabm]

    @property
    def id(self) -> Id:
        """SHA-256 of a signature; a MAC is its own ID."""
        return Id(self.signature) if len(self.signature) == ID_BYTES else digest_id(self.signature)

    @property
    def is_hmac(self) -> bool:
        """Whether it proves nothing, because everybody has its key."""
        return self.type == HMAC

    @property
    def owner(self) -> bytes:
        """The public key that `keyid` holds.

        Raises:
            InvalidSignature: it holds none.
        """
        try:
            return _public_key(self.keyid)
        except ValueError:
            raise InvalidSignature("a commitment's keyid is no public key") from None

    @property
    def bundle(self) -> bool:
        """Whether nested messages were signed in full instead of by their IDs."""
        return self.rest.get(b"bundle") == b"true"

    def parameters(self) -> dict[bytes, bytes | int]:
        """Return what of it a signature base names.

        Raises:
            InvalidSignature: a time is no number.
        """
        texts = {name: value for name, value in self.rest.items() if isinstance(value, bytes)}
        times = INTEGERS & texts.keys()
        if not all(_TIME.fullmatch(texts[name]) for name in times):
            raise InvalidSignature("the time of a commitment is no number")
        numbers = {name: int(texts[name]) for name in times}
        return {**texts, **numbers, b"alg": self.type, b"keyid": self.keyid}

    def commitment(self) -> Commitment:
        """Return it as one of a message's commitments.

        Raises:
            InvalidSignature: its key is none, or its device or type is no text.
        """
        try:
            device, kind = self.device.decode("ascii"), self.type.decode("ascii")
        except UnicodeDecodeError:
            raise InvalidSignature("a commitment's device or type is no text") from None
        owner = self.owner
        return Commitment(self.id, digest_id(owner), device, kind, owner, self.signature)

    def fields(self) -> dict[bytes, bytes | Tabm]:
        """Return the fields as HyperBEAM names them."""
        named: dict[bytes, bytes | Tabm] = {
            b"commitment-device": self.device,
            b"type": self.type,
            b"keyid": self.keyid,
            b"signature": encode_base64url(self.signature),
            b"committed": numbered(self.committed),
            **self.rest,
        }
        if not self.is_hmac:
            named[b"committer"] = digest_id(self.owner).ascii
        if integers := sorted(INTEGERS & self.rest.keys()):
            named[b"ao-types"] = b", ".join(b'%s="integer"' % name for name in integers)
        return named


def claims_of(tabm: Tabm) -> tuple[Claim, ...]:
    """Read the commitments of a message, in the order of their IDs.

    Raises:
        InvalidSignature: there are too many, one lacks a field, its ID is not that of its
            signature, or it names another committer than its key.
    """
    found = tabm.get(COMMITMENTS)
    if found is None:
        return ()
    if not isinstance(found, Mapping) or len(found) > MAX_COMMITMENTS:
        raise InvalidSignature(f"commitments are a map of at most {MAX_COMMITMENTS}")
    named = {name: found[name] for name in sorted(found) if name != b"ao-types"}
    return tuple(_claim(name, fields) for name, fields in named.items())


def with_claims(tabm: Tabm, claims: tuple[Claim, ...]) -> dict[bytes, bytes | Tabm]:
    """Return the message with exactly these commitments."""
    keys = {key: value for key, value in tabm.items() if key != COMMITMENTS}
    if claims:
        keys[COMMITMENTS] = {claim.id.ascii: claim.fields() for claim in claims}
    return keys


def numbered(values: Sequence[bytes]) -> dict[bytes, bytes | Tabm]:
    """Return a list of texts as the map that TABM has for it."""
    listed: dict[bytes, bytes | Tabm] = {b"%d" % n: text for n, text in enumerate(values, 1)}
    return listed | {b"ao-types": b'.="list"'}


def listed(value: bytes | Tabm | None) -> tuple[bytes, ...]:
    """Return the texts of a list of different ones.

    Raises:
        InvalidSignature: it is no list, has a gap, or one comes twice.
    """
    if not isinstance(value, Mapping):
        raise InvalidSignature("a commitment lacks a list")
    count = len(value) - (b"ao-types" in value)
    keys = tuple(value.get(b"%d" % number) for number in range(1, count + 1))
    if not all(isinstance(key, bytes) for key in keys) or len(set(keys)) != count:
        raise InvalidSignature("a commitment's list of keys has a gap or names a key twice")
    return tuple(key for key in keys if isinstance(key, bytes))


def _claim(name: bytes, fields: bytes | Tabm) -> Claim:
    if not isinstance(fields, Mapping):
        raise InvalidSignature("a commitment is no map")
    claim = Claim(
        device=_text(fields, b"commitment-device"),
        type=_text(fields, b"type"),
        keyid=_text(fields, b"keyid"),
        signature=_signature(fields),
        committed=listed(fields.get(b"committed")),
        rest={key: value for key, value in fields.items() if key not in _NAMED},
    )
    if claim.id.ascii != name:
        raise InvalidSignature("a commitment's ID is not that of its signature")
    committer = fields.get(b"committer")
    if not claim.is_hmac and committer not in (None, digest_id(claim.owner).ascii):
        raise InvalidSignature("a commitment names another committer than its key")
    return claim


def _text(fields: Tabm, name: bytes) -> bytes:
    value = fields.get(name)
    if not isinstance(value, bytes):
        raise InvalidSignature(f"a commitment has no {name.decode()}")
    return value


def _signature(fields: Tabm) -> bytes:
    try:
        return decode_base64url(_text(fields, b"signature"))
    except ValueError:
        raise InvalidSignature("a commitment's signature is not base64url") from None


def _public_key(keyid: bytes) -> bytes:
    text = keyid.removeprefix(PUBLIC_KEY)
    if b"+" in text or b"/" in text or text.endswith(b"="):
        return a2b_base64(text, strict_mode=True)
    return decode_base64url(text)
