"""Messages as they travel over HTTP: read back byte for byte, whatever servers do to headers."""

from __future__ import annotations

import re

from protocol.codecs.body_parts import LONGEST_LINE
from protocol.codecs.httpsig import BODY, CONTENT_TYPE, NOT_KEYS, assemble, inline_key
from protocol.codecs.multipart import BODY_KEY, fits_line
from protocol.codecs.wire import Wire
from protocol.errors import UnsupportedValue
from protocol.tabm import Tabm

_ESCAPED = re.compile(rb"[^a-z0-9!#$&'*+.^_`|~-]")
"""What no header name has in every version of HTTP, and the percent sign itself."""

_VALUE = re.compile(rb"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")
"""RFC 9110, 5.5: servers take spaces from the ends of a value, and refuse controls."""

_HTTPS_OWN = frozenset(
    b"alt-svc clear-site-data connection content-digest content-encoding content-length"
    b" content-location content-range content-security-policy cookie date expect host keep-alive"
    b" location nel refresh report-to reporting-endpoints server service-worker-allowed set-cookie"
    b" strict-transport-security te trailer transfer-encoding upgrade via".split()
)
"""Headers that clients and servers obey; a message has no say in them. With `nel` it could have
browsers report whatever their users do here to somebody else."""

_HTTPS_OWN_FAMILIES = (b"access-control-", b"proxy-", b"sec-", b"x-accel-", b"x-sendfile")
"""The same by how they begin; the last two let whoever sets them read a proxy's files."""


def encode(tabm: Tabm) -> Wire:
    """Write a message as `httpsig.encode` does, but what a header would change is no header.

    Names are percent-encoded where HTTP would fold their case; values with line breaks or
    spaces around them are parts of the body, as are the headers of HTTP itself. A signature
    is over the message and not over this form, so it verifies after reading.

    Args:
        tabm: linked or bundle form; its own commitments are left out.

    Raises:
        UnsupportedValue: a nested key can stand neither in a line nor in the name of a part.
    """
    message = {_name(key): value for key, value in tabm.items() if key not in NOT_KEYS}
    inline, headers = inline_key(message)
    nested: dict[bytes, bytes | Tabm] = {}
    for key, value in message.items():
        if isinstance(value, bytes) and key not in (inline, BODY) and _is_header(key, value):
            headers[key] = value
        else:
            nested[key] = value
    if nested == {BODY: b""}:
        # Nothing else tells an empty body from none.
        headers[BODY_KEY] = BODY
    elif CONTENT_TYPE in headers and nested and not _is_plain(nested, inline):
        nested[CONTENT_TYPE] = headers.pop(CONTENT_TYPE)
    return assemble(headers, nested, inline, _is_line)


def _name(key: bytes) -> bytes:
    if not key:
        raise UnsupportedValue("a key has no name")
    return _ESCAPED.sub(lambda found: b"%%%02x" % found[0][0], key)


def _is_plain(nested: Tabm, inline: bytes) -> bool:
    return nested.keys() == {inline} and isinstance(nested[inline], bytes)


def _is_header(key: bytes, value: bytes) -> bool:
    return (
        len(value) <= LONGEST_LINE
        and key not in _HTTPS_OWN
        and not key.startswith(_HTTPS_OWN_FAMILIES)
        and _VALUE.fullmatch(value) is not None
    )


def _is_line(key: bytes, value: bytes) -> bool:
    return len(value) <= LONGEST_LINE and (key == BODY or fits_line(key, value))
