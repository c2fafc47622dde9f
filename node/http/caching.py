"""What never changes again may be kept: headers that say so, and `if-none-match`."""

from __future__ import annotations

import hashlib

from starlette.responses import Response

from node.http.replies import NO_STORE, Fields
from node.http.request import Call
from protocol.codecs.base64url import encode_base64url

_YEAR_SECONDS = 365 * 24 * 3600
"""The longest that caches take seriously (RFC 9111 asks for no more)."""

_VARY = (
    b"accept, accept-bundle, accept-codec, at-slot, codec-device, from, limit, require-codec,"
    b" target, to"
)
"""Headers that decide what a reading request gets, beside its address."""


def lasting(call: Call, *parts: object) -> Fields:
    """Return the headers of a reply that will always be the same.

    A request with a body has a reply that nobody keeps: no cache looks at what the body says,
    and would give the reply to all who ask without it.

    Args:
        call: what is answered; its form names the reply, too.
        parts: what else names its content, such as IDs and slots.
    """
    if call.body:
        return NO_STORE
    form = call.form
    named = "\n".join(map(str, (form.codec, form.bundle, *parts))).encode()
    tag = encode_base64url(hashlib.sha256(named).digest()[:16])
    return (
        (b"cache-control", b"public, max-age=%d, immutable" % _YEAR_SECONDS),
        (b"vary", _VARY),
        (b"etag", b'"%s"' % tag),
    )


def unchanged(call: Call, fields: Fields) -> Response | None:
    """Return 304 when the request says that it has the reply with these headers already."""
    tag = dict(fields).get(b"etag", b"").decode()
    known = [text.strip().removeprefix("W/") for text in _known(call).split(",")]
    if not tag or tag not in known:
        return None
    response = Response(status_code=304)
    response.raw_headers = list(fields)
    return response


def _known(call: Call) -> str:
    return call.fields.get("if-none-match", "")
