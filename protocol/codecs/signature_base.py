"""What an HTTP message signature is over (RFC 9421, 2.5), as HyperBEAM writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from protocol.codecs.signature_fields import input_value
from protocol.errors import UnsupportedValue

SIGNED_PARAMETERS = frozenset(
    (b"alg", b"bundle", b"created", b"expires", b"keyid", b"nonce", b"tag")
)
"""Parameters that are part of the base; all others are written beside it, unsigned."""

_DERIVED = {b"authority", b"method", b"path", b"query", b"query-param", b"request-target"}
_DERIVED |= {b"scheme", b"target-uri"}
"""Keys that the list of components names with an @, though they are ordinary headers."""


def signature_base(
    values: Mapping[bytes, bytes],
    components: Sequence[bytes],
    parameters: Mapping[bytes, bytes | int],
) -> bytes:
    """Return the bytes that are signed.

    Args:
        values: header names to values, `content-digest` in the place of a body.
        components: names of those that are signed, in their order.
        parameters: of the signature; those that are not signed are left out.

    Raises:
        UnsupportedValue: a value holds the line that comes after it, so that others would
            sign the same.
    """
    for name, following in pairwise((*components, b"@signature-params")):
        end = b'\n"%s": ' % following
        if (values[name] + end).find(end) != len(values[name]):
            raise UnsupportedValue(f"the value of {name[:40]!r} reads like the line after it")
    lines = b"\n".join(b'"%s": %s' % (name, values[name]) for name in components)
    names = [b"@" + name if name in _DERIVED else name for name in components]
    signed = tuple((name, parameters[name]) for name in sorted(SIGNED_PARAMETERS & {*parameters}))
    return b'%s\n"@signature-params": %s' % (lines, input_value(names, signed))
