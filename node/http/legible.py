"""Messages for JSON, which knows text only: what is none is left out and linked."""

from __future__ import annotations

from protocol.codecs.httpsig_covered import LINK
from protocol.errors import UnsupportedValue
from protocol.message_ids import signed_id
from protocol.tabm import COMMITMENTS, Tabm


def legible(tabm: Tabm) -> Tabm:
    """Return a message with those nested ones replaced by links that are no text.

    Whoever wants them fetches them by their IDs, in another codec.

    Raises:
        UnsupportedValue: one of its own values is no text.
    """
    shown: dict[bytes, bytes | Tabm] = {}
    for key, value in tabm.items():
        if _is_text(value):
            shown[key] = value
        elif isinstance(value, bytes) or key == COMMITMENTS:
            raise UnsupportedValue(f"the value of {key[:40]!r} is no text, which JSON needs")
        else:
            name, inside = _nested(key, value)
            shown[name] = inside
    if not all(map(_is_text, shown)):
        raise UnsupportedValue("a key is no text, which JSON needs")
    return shown


def _nested(key: bytes, value: Tabm) -> tuple[bytes, bytes | Tabm]:
    try:
        return key, legible(value)
    except UnsupportedValue:
        return key + LINK, signed_id(value).ascii


def _is_text(value: bytes | Tabm) -> bool:
    if isinstance(value, bytes):
        try:
            value.decode()
        except UnicodeDecodeError:
            return False
        return True
    return all(_is_text(key) and _is_text(inside) for key, inside in value.items())
