"""Signed messages as HTTP headers and a body: their commitments as signature fields."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import sha256

from protocol.codecs import ans104_tabm, httpsig, portable
from protocol.codecs.base64url import decode_base64url, encode_base64url
from protocol.codecs.body_parts import REQUEST, Bounds
from protocol.codecs.commitment_fields import (
    COMPONENTS,
    Claim,
    claims_of,
    listed,
    numbered,
    with_claims,
)
from protocol.codecs.httpsig import CONTENT_TYPE, SIGNATURE, SIGNATURE_INPUT
from protocol.codecs.httpsig_covered import (
    DEVICE,
    LINK,
    Covered,
    committed_keys,
    cover,
    require_no_body_key,
)
from protocol.codecs.multipart import BODY_KEY
from protocol.codecs.older_httpsig import (
    INLINE_BODY_KEY,
    LABELS,
    is_of_may,
    is_older,
    renamed,
)
from protocol.codecs.percent import escape, unescape
from protocol.codecs.signature_fields import Signature, parse, write
from protocol.codecs.wire import Wire
from protocol.errors import MalformedItem, UnsupportedValue
from protocol.message_ids import bundled, inline, linked, only
from protocol.tabm import Tabm

LABEL = b"comm-"
"""Begins the label of a commitment; then comes the hash of the signature in lower case."""

_FIRST = (b"alg", b"keyid", b"tag", b"created", b"expires", b"nonce")
_ORIGINAL = b"original-tags"
_ABOUT_BODY = frozenset((BODY_KEY, CONTENT_TYPE, INLINE_BODY_KEY))
_MEMBERS = re.compile(rb", (?=[0-9]+:)")
_TAG = re.compile(rb"([0-9]+):(.*):([A-Za-z0-9_-]*)", re.DOTALL)
_UNPRINTABLE = re.compile(rb"[^ -~]")
_NOT_PLAIN = re.compile(rb"^@|[^ -~]")
"""What a component's name cannot have: an @ at its beginning marks a derived one."""


def to_wire(tabm: Tabm, *, bundle: bool) -> Wire:
    """Write a message with its commitments.

    Args:
        tabm: with its commitments, which are not verified here.
        bundle: nested messages inside instead of as links.

    Raises:
        UnsupportedValue: headers cannot carry it.
        InvalidSignature: its commitments are malformed.
    """
    claims = claims_of(tabm)
    wire = portable.encode(_inline(tabm, claims) if bundle else linked(tabm))
    if not claims:
        return wire
    require_no_body_key(tabm)
    covered = {over: cover(_form(tabm, *over)) for over in map(_over, claims)}
    written = (_written(claim, covered[_over(claim)]) for claim in claims)
    signatures = sorted(written, key=lambda each: each.label)
    signature, signature_input = write(signatures)
    fields = ((SIGNATURE, signature), (SIGNATURE_INPUT, signature_input))
    return Wire(tuple(sorted((*wire.headers, *fields))), wire.body)


def from_wire(wire: Wire, bounds: Bounds = REQUEST) -> dict[bytes, bytes | Tabm]:
    """Read a message with its commitments; nothing is verified.

    A message whose signature fields are of another kind than ours has no commitments.

    Raises:
        MalformedItem: headers, body or signature fields are malformed.
        TooLarge: the body has more than `bounds` allow.
    """
    signatures = _signatures(_field(wire, SIGNATURE), _field(wire, SIGNATURE_INPUT))
    if any(is_of_may(_keyid(each)) for each in signatures):
        wire = renamed(wire)
    tabm = httpsig.decode(wire, bounds)
    headers = {unescape(name) for name, _ in wire.headers}
    return with_claims(tabm, tuple(_claim(each, tabm, headers) for each in signatures))


def _signatures(signature: bytes, signature_input: bytes) -> list[Signature]:
    for label in (LABEL, *LABELS):
        if signature.startswith(label) and signature_input.startswith(label):
            found = parse(signature, signature_input)
            ours = [each for each in found if each.label.startswith(label)]
            return ours if label == LABEL else [each for each in ours if is_older(each)]
    return []


def _keyid(signature: Signature) -> bytes:
    value = dict(signature.parameters).get(b"keyid")
    return value if isinstance(value, bytes) else b""


def _inline(tabm: Tabm, claims: Sequence[Claim]) -> Tabm:
    # Who signed what is nested in full signed its HMACs, too.
    in_full = any(claim.bundle and claim.device == DEVICE for claim in claims)
    return bundled(tabm) if in_full else inline(tabm)


def _over(claim: Claim) -> tuple[frozenset[bytes], bool]:
    # Of two signers and an HMAC all are over the same, which is written once for them.
    return frozenset(claim.committed), claim.bundle


def _form(tabm: Tabm, committed: frozenset[bytes], bundle: bool) -> Tabm:
    keys = only(tabm, sorted(committed))
    return bundled(keys) if bundle else linked(keys)


def _written(claim: Claim, covered: Covered) -> Signature:
    label = LABEL + encode_base64url(sha256(claim.signature).digest()).lower()
    components, parameters = _components(claim, covered), tuple(_parameters(claim))
    return Signature(label, components, parameters, claim.signature)


def _components(claim: Claim, covered: Covered) -> tuple[bytes, ...]:
    if is_of_may(claim.keyid):
        return listed(claim.rest.get(COMPONENTS))
    if claim.device == DEVICE:
        names = covered.components_of(claim)
    else:
        # An item's tags are rebuilt in this order; what describes the body is no tag.
        ordered = covered.in_order(claim.committed)
        names = (*sorted(covered.values.keys() - set(ordered)), *ordered)
    return tuple(_NOT_PLAIN.sub(lambda found: escape(found[0]), name) for name in names)


def _parameters(claim: Claim) -> Iterator[tuple[bytes, bytes | int]]:
    values = claim.parameters()
    if claim.device != DEVICE:
        values[b"alg"] = b"%s/%s" % (claim.device, claim.type)
    if isinstance(tags := claim.rest.get(_ORIGINAL), Mapping):
        values[_ORIGINAL] = _text(tags)
    for name in (*_FIRST, *sorted(values.keys() - set(_FIRST))):
        if (value := values.get(name)) is not None:
            if isinstance(value, bytes) and _UNPRINTABLE.search(value):
                raise UnsupportedValue(f"no header can carry a commitment's {name.decode()}")
            yield name, value


def _text(tags: Tabm) -> bytes:
    members = []
    for number, (name, text) in enumerate(ans104_tabm.original_tags(tags), 1):
        if _MEMBERS.search(name + b":"):
            raise UnsupportedValue(f"the tag {name[:40]!r} would be read as two")
        members.append(b"%d:%s:%s" % (number, name, encode_base64url(text)))
    return b", ".join(members)


def _claim(signature: Signature, tabm: Tabm, headers: Collection[bytes]) -> Claim:
    rest: dict[bytes, bytes | Tabm] = {
        name: b"%d" % value if isinstance(value, int) else value
        for name, value in signature.parameters
    }
    device, kind = _device(_taken(rest, b"alg"))
    if isinstance(text := rest.get(_ORIGINAL), bytes):
        rest[_ORIGINAL] = _tags(text)
    keyid = _taken(rest, b"keyid")
    names = [name.removeprefix(b"@") for name in signature.components]
    if is_of_may(keyid):
        rest[COMPONENTS] = numbered(signature.components)
    elif device == DEVICE and names != sorted(names) and not _ABOUT_BODY.isdisjoint(names):
        rest[COMPONENTS] = numbered(names)
    return Claim(
        device=device,
        type=kind,
        keyid=keyid,
        signature=signature.raw,
        committed=_committed(names, tabm, headers),
        rest=rest,
    )


def _committed(names: Sequence[bytes], tabm: Tabm, headers: Collection[bytes]) -> tuple[bytes, ...]:
    # A link may be written out, or stand in a part for what its value has.
    named = set(map(unescape, names))
    named |= {name.removesuffix(LINK) for name in named}
    body_keys = sorted(tabm.keys() - headers - named)
    return tuple(committed_keys(names, body_keys, _ABOUT_BODY - tabm.keys()))


def _device(alg: bytes) -> tuple[bytes, bytes]:
    device, _, kind = alg.partition(b"/")
    return (device, kind) if b"@" in device else (DEVICE, alg)


def _taken(rest: dict[bytes, bytes | Tabm], name: bytes) -> bytes:
    value = rest.pop(name, b"")
    return value if isinstance(value, bytes) else b""


def _tags(text: bytes) -> dict[bytes, bytes | Tabm]:
    tags: dict[bytes, bytes | Tabm] = {}
    for member in _MEMBERS.split(text):
        found = _TAG.fullmatch(member)
        if not found or found[1] in tags:
            raise MalformedItem("a commitment's original-tags are malformed")
        tags[found[1]] = {b"name": found[2], b"value": _value(found[3])}
    return tags


def _value(text: bytes) -> bytes:
    try:
        return decode_base64url(text)
    except ValueError:
        raise MalformedItem("a commitment's original-tags are malformed") from None


def _field(wire: Wire, name: bytes) -> bytes:
    return b", ".join(value for key, value in wire.headers if key == name)
