"""Which codec a request is written in, and which one its reply shall be written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from protocol.errors import MalformedItem, UnsupportedValue

ANS104 = "ans104@1.0"
HTTPSIG = "httpsig@1.0"
JSON = "json@1.0"
AOS2 = "aos-2"
"""No codec of messages: a schedule's own JSON."""

_CODECS = frozenset({ANS104, HTTPSIG, JSON})
_REPLIES = {
    "application/http": HTTPSIG,
    "application/httpsig": HTTPSIG,
    "application/ans104": ANS104,
    "application/json": JSON,
    "application/aos-2": AOS2,
    "aos2@1.0": AOS2,
} | {codec: codec for codec in _CODECS}


@dataclass(frozen=True, slots=True)
class Form:
    """How a reply shall be written.

    Attributes:
        codec: device name of its codec, or `AOS2`.
        bundle: whether nested messages are inside it, rather than linked by their IDs.
    """

    codec: str
    bundle: bool


def request_codec(keys: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Return the codec of a request: by `codec-device`, else its content type, else httpsig.

    Args:
        keys: of the address.
        headers: by name.

    Raises:
        MalformedItem: `codec-device` names a codec that is not built.
    """
    device = keys.get("codec-device") or headers.get("codec-device")
    if device is not None:
        if device not in _CODECS:
            raise MalformedItem(f"codec {device[:80]!r} is not built")
        return device
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == "application/octet-stream" and "signature-input" not in headers:
        # HyperBEAM would take it for an unsigned message, which nobody can schedule.
        return ANS104
    named = f"{media.removeprefix('application/')}@1.0"
    return named if named in _CODECS else HTTPSIG


def reply_form(get: Callable[[str], str | None]) -> Form:
    """Return how the reply to a request shall be written.

    `require-codec` decides, else the first type in `accept` that can be written, else
    httpsig. Nested messages come along in JSON, in ``application/http`` and where
    `accept-bundle` is true.

    Args:
        get: what the request says under a name.

    Raises:
        UnsupportedValue: `require-codec` names a codec that is not built.
    """
    required = get("require-codec")
    named = required or _accepted(get("accept") or "")
    codec = _REPLIES.get(named.strip().lower())
    if codec is None:
        if required:
            raise UnsupportedValue(f"codec {required[:80]!r} is not built")
        codec = HTTPSIG
    bundle = get("accept-bundle")
    if bundle is None:
        return Form(codec, codec in (JSON, AOS2) or named == "application/http")
    return Form(codec, bundle.strip('"').lower() == "true")


def _accepted(accept: str) -> str:
    wanted = [_weighed(part) for part in accept.split(",")]
    able = [(weight, name) for weight, name in wanted if weight > 0 and name in _REPLIES]
    # Of equal weights the first one stays first.
    return max(able, key=lambda pair: pair[0])[1] if able else ""


def _weighed(part: str) -> tuple[float, str]:
    name, *parameters = (text.strip().lower() for text in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:]), name
            except ValueError:
                return 0.0, name
    return 1.0, name
