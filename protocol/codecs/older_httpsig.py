"""The two older forms of httpsig, which are read and kept, but never made.

In June 2025 a `keyid` was a bare public key in base64; all else was as now. In May 2025 it
was in base64url, the header `inline-body-key` named what the body is, values were trimmed,
and what was signed came in the order that `signature-input` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from protocol.codecs.commitment_fields import COMPONENTS, PUBLIC_KEY, Claim, listed
from protocol.codecs.multipart import BODY_KEY
from protocol.codecs.signature_base import SIGNED_PARAMETERS
from protocol.codecs.signature_fields import Signature, input_value
from protocol.codecs.wire import Wire
from protocol.errors import InvalidSignature

LABELS = (b"sig-", b"http-sig-")
"""Begin the labels of signatures in June and in May."""

INLINE_BODY_KEY = b"inline-body-key"

_KEYID_CHARACTERS = 683
"""An RSA-4096 modulus in base64url; base64 adds an equals sign."""

_SIGNED = SIGNED_PARAMETERS - {b"bundle"}


def is_of_may(keyid: bytes) -> bool:
    """Whether a key is written as only the form of May did."""
    return len(keyid) == _KEYID_CHARACTERS and not keyid.startswith(PUBLIC_KEY)


def is_older(signature: Signature) -> bool:
    """Whether a signature with an older label is written as it was then, and is no HMAC."""
    parameters = dict(signature.parameters)
    keyid, kind = parameters.get(b"keyid"), parameters.get(b"alg")
    return isinstance(keyid, bytes) and kind == b"rsa-pss-sha512" and b":" not in keyid


def renamed(wire: Wire) -> Wire:
    """Return a message of May with its values as they were signed.

    The header that names its body is called as it is now.
    """
    headers = tuple(
        (BODY_KEY if name == INLINE_BODY_KEY else name, _trimmed(value))
        for name, value in wire.headers
    )
    return Wire(headers, wire.body)


def base_of_may(claim: Claim, values: Mapping[bytes, bytes]) -> bytes:
    """Return the bytes that a signature of May is over.

    Args:
        claim: keeps the list of what was signed as it was written.
        values: header names to values, as they are signed now.

    Raises:
        InvalidSignature: a header that the message is written with was not signed, or not
            as it stands.
    """
    if b"bundle" in claim.rest:
        raise InvalidSignature("in May nothing said how nested messages were signed")
    then = {INLINE_BODY_KEY if name == BODY_KEY else name: values[name] for name in values}
    written = listed(claim.rest.get(COMPONENTS))
    names = [name.removeprefix(b"@") for name in written]
    if sorted(names) != sorted(then):
        raise InvalidSignature("a signature is not over all that its keys are written as")
    if any(value != _trimmed(value) for value in then.values()):
        raise InvalidSignature("a value has spaces or line breaks that were not signed")
    lines = [b'"%s": %s\n' % (name, then[name]) for name in names]
    return b'%s"@signature-params": %s' % (b"".join(lines), _parameters(claim, written))


def _parameters(claim: Claim, written: Sequence[bytes]) -> bytes:
    parameters = claim.parameters()
    signed = sorted(_SIGNED & parameters.keys())
    return input_value(written, tuple((name, parameters[name]) for name in signed))


def _trimmed(value: bytes) -> bytes:
    return value.strip(b" \t\r\n").replace(b"\n", b" ")
