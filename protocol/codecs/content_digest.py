"""The digest of a body as a header (RFC 9530), which is what a signature covers of it."""

from __future__ import annotations

import hashlib
from binascii import b2a_base64

KEY = b"content-digest"


def content_digest(body: bytes) -> bytes:
    """Return the value of `content-digest`: the body's SHA-256 as ``sha-256=:base64:``."""
    return b"sha-256=:%s:" % b2a_base64(hashlib.sha256(body).digest(), newline=False)
