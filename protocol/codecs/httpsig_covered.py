"""What a signature over a whole message covers: headers, and the digest of the body."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from protocol.codecs.commitment_fields import COMPONENTS, HMAC, Claim, listed
from protocol.codecs.content_digest import KEY as DIGEST
from protocol.codecs.httpsig import CONTENT_TYPE, NOT_KEYS, fields_to_sign
from protocol.codecs.multipart import BODY_KEY
from protocol.codecs.percent import unescape
from protocol.codecs.signature_base import signature_base
from protocol.errors import InvalidSignature, UnsupportedValue
from protocol.tabm import Tabm

DEVICE = b"httpsig@1.0"
CONSTANT = b"constant:ao"
"""Key of the HMAC that names an unsigned message; everybody knows it."""

LINK = b"+link"


@dataclass(frozen=True, slots=True)
class Covered:
    """A message as it is signed.

    Attributes:
        values: header names to values, `content-digest` in the place of a body.
        body_keys: the message's keys that the body carries, sorted.
    """

    values: Mapping[bytes, bytes]
    body_keys: tuple[bytes, ...]

    @property
    def components(self) -> tuple[bytes, ...]:
        """The names of all headers, in the order they are signed in."""
        return tuple(sorted(self.values))

    def components_of(self, claim: Claim) -> tuple[bytes, ...]:
        """Return the names of all headers in the order that a commitment signed them in.

        Raises:
            InvalidSignature: it is not over all that its keys are written as.
        """
        components = self.components
        if COMPONENTS in claim.rest:
            components = listed(claim.rest[COMPONENTS])
        elif self.committed(components) != claim.committed:
            components = self.in_order(claim.committed)
        if components != self.components and sorted(components) != sorted(self.values):
            raise InvalidSignature("a signature is not over all that its keys are written as")
        return components

    def in_order(self, committed: Sequence[bytes]) -> tuple[bytes, ...]:
        """Return the names of the headers in the order that these keys stand in.

        Headers that only describe the body are left out.

        Raises:
            InvalidSignature: a key is in no header.
        """
        names = {unescape(name).removesuffix(LINK): name for name in self.values}
        names |= dict.fromkeys(self.body_keys, DIGEST)
        if missing := [key for key in committed if key not in names]:
            raise InvalidSignature(f"no header carries {missing[0][:80]!r}")
        return tuple(dict.fromkeys(names[key] for key in committed))

    def committed(self, components: Sequence[bytes]) -> tuple[bytes, ...]:
        """Return the keys, without ``+link``, that a signature over these headers is over."""
        multipart = self.values.get(CONTENT_TYPE, b"").startswith(b"multipart/")
        dropped = {BODY_KEY, CONTENT_TYPE} if multipart else {BODY_KEY}
        return tuple(committed_keys(components, self.body_keys, dropped))


def cover(form: Tabm, most: int | None = None) -> Covered:
    """Write a message, nested ones linked or bundled, as it is signed.

    Args:
        form: the keys to sign; nested messages are linked or bundled.
        most: refuse more headers than this.

    Raises:
        UnsupportedValue: httpsig cannot carry it.
    """
    if unsigned := NOT_KEYS & form.keys():
        raise UnsupportedValue(f"{min(unsigned)!r} cannot be a key of what is signed")
    values = fields_to_sign(form, most)
    body_keys = form.keys() - set(map(unescape, values)) - NOT_KEYS
    return Covered(values, tuple(sorted(body_keys)))


def require_no_body_key(tabm: Tabm) -> None:
    """Insist that a message which is signed has no `ao-body-key` of its own.

    Readers take that for what it says about the body, and not for a key.

    Raises:
        UnsupportedValue: it has.
    """
    if BODY_KEY in tabm:
        raise UnsupportedValue("ao-body-key cannot be a key of a signed httpsig message")


def committed_keys(
    components: Sequence[bytes], body_keys: Sequence[bytes], dropped: Collection[bytes]
) -> Iterator[bytes]:
    """Tell which keys the signed headers stand for, in their order.

    Args:
        components: names of the headers.
        body_keys: keys that `content-digest` stands for.
        dropped: headers that describe the body and are no keys of the message.
    """
    for name in components:
        if name == DIGEST:
            yield from body_keys
        elif name not in dropped:
            yield unescape(name).removesuffix(LINK)


def base_of(claim: Claim, values: Mapping[bytes, bytes], components: Sequence[bytes]) -> bytes:
    """Return the bytes that a commitment with these fields signs."""
    return signature_base(values, components, claim.parameters())


def hmac_claim(covered: Covered, beside: Claim | None = None) -> Claim:
    """Return the HMAC over a whole message: what an unsigned one is named by.

    Args:
        covered: the message.
        beside: a signature over the same, whose order and bundling it takes on.
    """
    components = covered.components_of(beside) if beside else covered.components
    taken = (b"bundle", COMPONENTS)
    rest = {name: beside.rest[name] for name in taken if name in beside.rest} if beside else {}
    claim = Claim(DEVICE, HMAC, CONSTANT, b"", covered.committed(components), rest)
    base = base_of(claim, covered.values, components)
    return replace(claim, signature=hmac.digest(CONSTANT, base, hashlib.sha256))
