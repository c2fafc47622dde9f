"""Percent-encoded keys: how a key travels where only some characters may stand."""

from __future__ import annotations

import re

_PLAIN = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyz.-_/?&")
_WRITTEN = tuple(b"%c" % byte if byte in _PLAIN else b"%%%02x" % byte for byte in range(256))
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")


def escape(key: bytes) -> bytes:
    """Percent-encode all but ``a-z 0-9 . - _ / ? &``, in lower case.

    Upper case is encoded too, for HTTP folds the case of header names. Source: HyperBEAM's
    `hb_escape`.
    """
    return b"".join(map(_WRITTEN.__getitem__, key))


def unescape(key: bytes) -> bytes:
    """Undo `escape`; a percent sign that starts no escape stands for itself."""
    if b"%" not in key:
        return key
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), key)
