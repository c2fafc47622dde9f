"""The newest location record of each scheduler that this node heard of."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.errors import CorruptRecord, InvalidInput, StaleLocation
from protocol.ids import Id
from protocol.location import NO_NONCE, Location
from storage.cache import REGISTRATIONS, Cache
from storage.sealing import seal, unseal
from storage.tables import LOCATIONS

MAX_LOCATIONS = 65_536
"""Records kept: anybody can make a wallet and post a record, and each is over a kilobyte."""


@dataclass(frozen=True, slots=True)
class Known:
    """A location record, and when it came.

    Attributes:
        location: the record, verified before it was kept.
        received: milliseconds since 1970, by this node's clock.
    """

    location: Location
    received: int

    def expired(self, now: int) -> bool:
        """Tell whether its time to live is over; also when it seems to come from the future."""
        return not self.received <= now < self.received + self.location.time_to_live


class LocationTable:
    """Keep one record per signer, the one with the highest nonce. Any thread."""

    def __init__(self, cache: Cache, max_locations: int = MAX_LOCATIONS) -> None:
        """Take the database, and how many records it may hold."""
        self._cache = cache
        self._max_locations = max_locations

    def newest(self, signer: Id) -> Known | None:
        """Return what is known of a signer, also when it has expired."""
        return _known(signer, self._cache.get(LOCATIONS, signer))

    def nonce(self, signer: Id) -> int:
        """Return the highest nonce known of a signer, -1 when there is none."""
        return _nonce(self.newest(signer))

    def keep(self, location: Location, received: int, *, refresh: bool = False) -> bool:
        """Replace what is known of the record's signer.

        Args:
            location: verified.
            received: milliseconds since 1970.
            refresh: take a record with the same nonce too, and so begin its time to live
                again: for those that were asked for, and not posted by whoever kept a copy.

        Returns:
            Whether it is durable; not when the table or the disk is full.

        Raises:
            StaleLocation: its nonce is not above the one known of its signer.
        """
        key = location.signer

        def newer(record: bytes | None) -> bytes | None:
            known = _known(key, record)
            if known is None and self._cache.size(LOCATIONS)[0] >= self._max_locations:
                return None
            before = _nonce(known)
            if location.nonce < before or (location.nonce == before and not refresh):
                raise StaleLocation(f"nonce {location.nonce} is not above {before}, known of {key}")
            return seal(LOCATIONS, key, (received, location.codec, location.encoded))

        # Comparing with what is kept and replacing it is one step, for other programs, too.
        return self._cache.replace(LOCATIONS, key, newer)

    def obeyed(self, request: Id) -> bool:
        """Tell whether a registration request was obeyed before."""
        return self._cache.get(REGISTRATIONS, request) is not None

    def obey(self, request: Id) -> bool:
        """Remember a registration request; tell whether that is durable."""
        return self._cache.put(REGISTRATIONS, {request: b""})


def _known(signer: Id, record: bytes | None) -> Known | None:
    if record is None:
        return None
    try:
        received, codec, encoded = unseal(LOCATIONS, signer, record)
        return Known(Location.decode(encoded, codec), received)
    except (CorruptRecord, InvalidInput):
        return None


def _nonce(known: Known | None) -> int:
    return NO_NONCE if known is None else known.location.nonce
