"""Assignments committed with ``httpsig@1.0``: what is signed, and how they go over the wire.

Written by hand for the one shape an assignment has; the general rules are elsewhere.
"""

from __future__ import annotations

import hmac
from base64 import b64encode, urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256

from protocol.assignment import Assignment, Tags
from protocol.codecs.wire import Wire
from protocol.commitment import HTTPSIG, RSA_PSS_SHA512, Commitment
from protocol.errors import UnsupportedValue
from protocol.ids import Id

HMAC_SHA256 = "hmac-sha256"
CONSTANT_KEY = b"constant:ao"
"""Key ID and key of the commitment that gives a message its unsigned ID; it proves nothing."""

_CONTROLS = frozenset(range(0x20)) | {0x7F}


def require_carried(path: bytes) -> None:
    """Insist that a `path` can be the value of a header.

    Raises:
        UnsupportedValue: it holds control characters, or begins or ends with a space.
    """
    if path != path.strip() or not _CONTROLS.isdisjoint(path):
        raise UnsupportedValue("no HTTP header can carry the message's path")


def signature_data(assignment: Assignment, owner: bytes) -> bytes:
    """Return the signature base that the wallet with public key `owner` signs.

    Source: RFC 9421, and HyperBEAM's `httpsig@1.0` for what is signed: every key, with the body
    as a link.
    """
    return _base(assignment.tags(), RSA_PSS_SHA512, _keyid(owner))


def encode(assignment: Assignment) -> bytes:
    """Return its wire form with all its signatures, the body as a link."""
    tags = assignment.tags()
    components = _components(_names(tags), b"")
    signed = [(each.signature, each.type, _keyid(each.owner)) for each in assignment.commitments]
    signed.append((_mac(tags), HMAC_SHA256, CONSTANT_KEY))
    signatures, inputs = [], []
    for signature, kind, keyid in signed:
        label = b"comm-" + urlsafe_b64encode(sha256(signature).digest())[:-1].lower()
        signatures.append(b"%s=:%s:" % (label, b64encode(signature)))
        inputs.append(label + b"=" + components + _parameters(kind, keyid))
    headers = (
        *tags,
        (b"signature", b", ".join(signatures)),
        (b"signature-input", b", ".join(inputs)),
    )
    return Wire(headers).encode()


def commitment_fields(commitment: Commitment) -> dict[bytes, bytes]:
    """Return what a commitment says about itself in a message, but for what it covers."""
    return {
        b"commitment-device": commitment.device.encode(),
        b"committer": commitment.committer.ascii,
        b"keyid": _keyid(commitment.owner),
        b"signature": urlsafe_b64encode(commitment.signature).rstrip(b"="),
        b"type": commitment.type.encode(),
    }


def unsigned_id(assignment: Assignment) -> Id:
    """Return the ID that needs no wallet: the HMAC over all keys."""
    return Id(_mac(assignment.tags()))


def hmac_fields(mac: Id) -> dict[bytes, bytes]:
    """Return the fields of the commitment without a committer, but for what it covers."""
    return {
        b"commitment-device": HTTPSIG.encode(),
        b"keyid": CONSTANT_KEY,
        b"signature": mac.ascii,
        b"type": HMAC_SHA256.encode(),
    }


def _mac(tags: Tags) -> bytes:
    return hmac.digest(CONSTANT_KEY, _base(tags, HMAC_SHA256, CONSTANT_KEY), "sha256")


def _base(tags: Tags, kind: str, keyid: bytes) -> bytes:
    lines = b"".join(b'"%s": %s\n' % tag for tag in tags)
    # Only among the parameters is `path` marked as derived. Source: the recorded vectors.
    components = _components(_names(tags), b"@")
    return lines + b'"@signature-params": ' + components + _parameters(kind, keyid)


def _names(tags: Tags) -> tuple[bytes, ...]:
    return tuple(name for name, _ in tags)


@lru_cache(maxsize=64)
def _components(names: tuple[bytes, ...], derived: bytes) -> bytes:
    marked = ((derived + name if name == b"path" else name) for name in names)
    return b"(" + b" ".join(b'"%s"' % name for name in marked) + b")"


@lru_cache(maxsize=64)
def _parameters(kind: str, keyid: bytes) -> bytes:
    return b';alg="%s";keyid="%s"' % (kind.encode(), keyid)


@lru_cache(maxsize=64)
def _keyid(owner: bytes) -> bytes:
    return b"publickey:" + b64encode(owner)
