"""Location records: where a scheduler says it is to be found, signed by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from protocol.assignment import LEGACY_VARIANT, VARIANT
from protocol.codecs.structured import Scalar
from protocol.errors import InvalidInput, MalformedItem, TooLarge
from protocol.ids import Id
from protocol.message import Encoded, Message
from protocol.signed import signer_of
from protocol.terms import ANS104
from protocol.wallet import Wallet

TYPE = "scheduler-location"
TYPES = frozenset({b"scheduler-location", b"location"})
"""Values of `type`, in lower case: legacy records write it with capitals, HyperBEAM's newer
device `location@1.0` shortens it."""
DEFAULT_TIME_TO_LIVE = 604_800_000
"""Milliseconds, one week: what HyperBEAM says when nobody says anything."""
NO_NONCE = -1
"""Of a legacy record, which has none, and of a signer that no record is known of."""
MAX_URL_BYTES = 2048
"""Longest URL taken: what servers and proxies agree to carry."""
MAX_RECORD_BYTES = 16 << 10
"""Longest record taken: anybody can sign one, and whoever looks for a scheduler keeps it."""
_DIGITS = 15
"""Of an integer that parsers of structured fields take (RFC 8941, 3.3.1)."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a scheduler can be reached, as it says itself.

    Attributes:
        signer: address of the scheduler, who signed the record.
        url: http or https, without a slash at the end.
        nonce: the higher one is the newer one; `NO_NONCE` in variant ao.TN.1.
        time_to_live: milliseconds for which the record may be kept.
        variant: protocol that the scheduler speaks, ao.N.1 or ao.TN.1.
        codec, encoded: the signed record.
    """

    signer: Id
    url: str
    nonce: int
    time_to_live: int
    variant: str
    codec: str
    encoded: bytes = field(repr=False)

    @classmethod
    def sign(
        cls,
        wallet: Wallet,
        url: str,
        nonce: int,
        time_to_live: int = DEFAULT_TIME_TO_LIVE,
        variant: str = VARIANT,
    ) -> Location:
        """Make a record, as an ANS-104 item signed by `wallet`.

        Raises:
            InvalidInput: the URL is none that others can use, or a number is negative.
        """
        require_url(url)
        if min(nonce, time_to_live) < 0:
            raise InvalidInput("neither the nonce nor the time to live is below 0")
        keys = _legacy_keys(url, time_to_live)
        if variant != LEGACY_VARIANT:
            keys = _keys(url, nonce, time_to_live, variant)
        return location_of(Message.create(keys, wallet))

    @classmethod
    def decode(cls, encoded: Encoded, codec: str = "ans104") -> Location:
        """Read and verify a record. Raises as `location_of` does."""
        return location_of(Message.decode(encoded, codec))


def location_of(message: Message) -> Location:
    """Return what a message says as a location record, its signature verified.

    Source: HyperBEAM's `dev_scheduler` (ao.N.1), the legacy scheduler units (ao.TN.1).

    Raises:
        MalformedItem: it is no location record, or several have signed it.
        InvalidInput: its URL is none that can be used.
        InvalidSignature: its signature does not verify.
        TooLarge: it is over 16 KiB, several times what it needs.
    """
    keys = message.keys
    if keys.get(b"type", b"").lower() not in TYPES:
        raise MalformedItem("the message is no location record")
    if len(message.encoded) > MAX_RECORD_BYTES:
        raise TooLarge(f"a location record is at most {MAX_RECORD_BYTES} bytes")
    variant = _text(keys, b"variant") or (VARIANT if b"nonce" in keys else LEGACY_VARIANT)
    legacy = variant == LEGACY_VARIANT
    return Location(
        signer=signer_of(message),
        url=require_url(_text(keys, b"url")),
        nonce=NO_NONCE if legacy else number(keys, b"nonce"),
        time_to_live=number(keys, b"time-to-live", DEFAULT_TIME_TO_LIVE),
        variant=variant,
        codec=message.codec,
        encoded=message.encoded,
    )


def require_url(url: str) -> str:
    """Return a URL that others can use, without a slash at the end.

    Raises:
        InvalidInput: it is too long, not http or https, or has more than host and path.
    """
    try:
        parts = urlsplit(url)
        # Reading the port checks it.
        usable = parts.hostname and parts.port != 0 and parts.username is None
    except ValueError:
        usable = False
    # A lone mark at the end would swallow the path that is put behind it.
    if not usable or parts.scheme not in ("http", "https") or "?" in url or "#" in url:
        raise InvalidInput("a location is an http or https URL of host and path only")
    if len(url) > MAX_URL_BYTES or not (url.isascii() and url.isprintable()) or " " in url:
        raise InvalidInput(f"a location is at most {MAX_URL_BYTES} printable ASCII characters")
    return url.rstrip("/")


def number(keys: Mapping[bytes, bytes], name: bytes, default: int | None = None) -> int:
    """Return the non-negative integer under a key.

    Raises:
        MalformedItem: there is none, and no default.
    """
    value = keys.get(name)
    if value is None and default is not None:
        return default
    if value is None or not value.isdigit() or len(value) > _DIGITS:
        raise MalformedItem(f"{name.decode()} is no number of at most {_DIGITS} digits")
    return int(value)


def _text(keys: Mapping[bytes, bytes], name: bytes) -> str:
    return keys.get(name, b"").decode("utf-8", "replace")


def _keys(url: str, nonce: int, time_to_live: int, variant: str) -> dict[str, Scalar]:
    return {
        "data-protocol": "ao",
        "variant": variant,
        "type": TYPE,
        "url": url,
        "nonce": nonce,
        "time-to-live": time_to_live,
        "codec-device": ANS104,
    }


def _legacy_keys(url: str, time_to_live: int) -> dict[str, Scalar]:
    return {
        "Data-Protocol": "ao",
        "Variant": LEGACY_VARIANT,
        "Type": "Scheduler-Location",
        "Url": url,
        "Time-To-Live": str(time_to_live),
    }
