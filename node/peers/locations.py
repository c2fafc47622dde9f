"""Where schedulers are to be found: our own place made known, those of others looked up."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from actors.clock import Clock, system_clock
from actors.uploader import Outcome, Upload, Uploader
from node.peers.client import Client
from protocol.codecs.ans104 import Item
from protocol.errors import (
    InvalidInput,
    MalformedItem,
    NotFound,
    PeerFailed,
    PeerRefused,
    SchedulerError,
    StaleLocation,
    StoreFull,
    UploadFailed,
    UploadRefused,
)
from protocol.ids import Id
from protocol.location import (
    DEFAULT_TIME_TO_LIVE,
    NO_NONCE,
    TYPE,
    TYPES,
    Location,
    location_of,
    number,
)
from protocol.message import Message
from protocol.signed import signer_of
from protocol.wallet import Wallet
from storage.locations import LocationTable

PATH = "/~scheduler@1.0/location"
"""Where a HyperBEAM node takes location records."""
MISSING_MILLISECONDS = 60_000
"""How long the gateway is not asked again for an address that it did not know."""
MAX_MISSING = 10_000
PARALLEL_PEERS = 8
_HEADERS = ((b"content-type", b"application/ans104"), (b"codec-device", b"ans104@1.0"))


class Gateway(Protocol):
    """Where published location records can be looked up."""

    def find_location(self, address: Id) -> list[Item]:
        """Return the location records that the address signed, verified."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A new record of our own, and who could not be told of it.

    Attributes:
        location: the record; it stands whoever heard of it.
        failures: one line for the bundler or each peer that did not take it.
    """

    location: Location
    failures: tuple[str, ...] = ()


class Locations:
    """Find schedulers, and tell where this one is. Safe to use from many threads."""

    def __init__(
        self,
        table: LocationTable,
        operator: Wallet,
        *,
        gateway: Gateway | None = None,
        uploader: Uploader | None = None,
        client: Client | None = None,
        notify: Sequence[str] = (),
        time_to_live: int = DEFAULT_TIME_TO_LIVE,
        clock: Clock = system_clock,
    ) -> None:
        """Take where records are kept, and whom to ask and tell.

        Args:
            table: the records known here.
            operator: who registers this node, and signs its records.
            gateway: asked for what the table does not have.
            uploader: publishes our records.
            client: posts our records to the peers in `notify`.
            notify: URLs of nodes that are told of each new record.
            time_to_live: milliseconds, for records that say nothing else.
            clock: milliseconds since 1970.
        """
        self._table = table
        self._operator = operator
        self._gateway = gateway
        self._uploader = uploader
        self._client = client
        self._notify = tuple(notify)
        self._time_to_live = time_to_live
        self._clock = clock
        # One registration at a time: each has the nonce after the one before.
        self._registering = threading.Lock()
        self._lock = threading.Lock()
        # Guarded by the lock: until when an address counts as unknown, oldest first.
        self._missing: OrderedDict[Id, int] = OrderedDict()

    def find(self, address: Id) -> Location:
        """Return the newest record of a scheduler that is known and not expired.

        Raises:
            NotFound: there is none.
            PeerFailed, PeerRefused: the gateway gave no answer.
        """
        known = self._table.newest(address)
        if known is not None and not known.expired(self._clock()):
            return known.location
        found = self._look_up(address)
        if found is None:
            raise NotFound(f"no location of {address} is known")
        return found

    def take(self, message: Message) -> Location:
        """Serve what was posted: a registration by the operator, or somebody's record.

        The same registration again is answered with the record that stands.

        Raises:
            StaleLocation: its nonce is not above the one known of its signer.
            InvalidInput: it is neither, or its signature does not verify.
            StoreFull: it cannot be kept.
        """
        if signer_of(message) == self._operator.address:
            return self._obey(message).location
        location = location_of(message)
        if location.nonce == NO_NONCE:
            raise StaleLocation("a record without a nonce is taken from the gateway only")
        self._keep(location)
        return location

    def register(
        self, url: str, *, nonce: int | None = None, time_to_live: int | None = None
    ) -> Announcement:
        """Sign, keep and announce a record of where this node is.

        Args:
            url: where others reach it.
            nonce: above the known one; the next one unless given.
            time_to_live: milliseconds; this node's usual one unless given.

        Raises:
            StaleLocation: the nonce is not above the known one.
            InvalidInput: the URL is none that others can use.
            StoreFull: the record cannot be kept, so its nonce would be forgotten.
            PeerFailed: nothing is known here, and the gateway gave no answer either.
        """
        lifetime = self._time_to_live if time_to_live is None else time_to_live
        with self._registering:
            if nonce is None:
                location = self._next(url, lifetime)
            else:
                location = self._signed(url, nonce, lifetime)
        return Announcement(location, self.announce(location))

    def announce(self, location: Location) -> tuple[str, ...]:
        """Publish a record of ours and post it to the peers; return a line for each failure."""
        failures = [self._publish(location)]
        client = self._client
        if client is not None and self._notify:
            with ThreadPoolExecutor(PARALLEL_PEERS, "notify") as threads:
                failures += threads.map(lambda url: _tell(client, url, location), self._notify)
        return tuple(filter(None, failures))

    def _obey(self, request: Message) -> Announcement:
        keys = request.keys
        # What the operator signed for another purpose is no request, though it may have a url.
        if keys.get(b"type", TYPE.encode()).lower() not in TYPES:
            raise MalformedItem("the message is no registration")
        if self._table.obeyed(request.id):
            return Announcement(self.find(self._operator.address))
        announced = self.register(
            keys.get(b"url", b"").decode("utf-8", "replace"),
            nonce=number(keys, b"nonce") if b"nonce" in keys else None,
            time_to_live=number(keys, b"time-to-live", self._time_to_live),
        )
        # A copy of the request must not bring the old place back later, under a new nonce.
        self._table.obey(request.id)
        return announced

    def _next(self, url: str, lifetime: int) -> Location:
        while True:
            # Another program of this node may have given the nonce away meanwhile. What was
            # signed with it then is shown to nobody.
            with suppress(StaleLocation):
                return self._signed(url, self._last_nonce() + 1, lifetime)

    def _signed(self, url: str, nonce: int, lifetime: int) -> Location:
        location = Location.sign(self._operator, url, nonce, lifetime)
        self._keep(location)
        return location

    def _last_nonce(self) -> int:
        address = self._operator.address
        nonce = self._table.nonce(address)
        if nonce == NO_NONCE:
            # Perhaps this node lost its cache: what it published before still counts.
            found = self._look_up(address)
            nonce = NO_NONCE if found is None else found.nonce
        return nonce

    def _keep(self, location: Location) -> None:
        if not self._table.keep(location, self._clock()):
            raise StoreFull("this node can keep no more location records")

    def _look_up(self, address: Id) -> Location | None:
        now = self._clock()
        with self._lock:
            if self._gateway is None or self._missing.get(address, 0) > now:
                return None
        found = [self._read(item) for item in self._gateway.find_location(address)]
        genuine = [record for record in found if record and record.signer == address]
        for record in sorted(genuine, key=lambda record: record.nonce, reverse=True)[:1]:
            # Older than what is known and expired: the gateway lags behind.
            with suppress(StaleLocation):
                self._table.keep(record, now, refresh=True)
                return record
        with self._lock:
            self._missing[address] = now + MISSING_MILLISECONDS
            if len(self._missing) > MAX_MISSING:
                self._missing.popitem(last=False)
        return None

    @staticmethod
    def _read(item: Item) -> Location | None:
        try:
            return Location.decode(item.encode())
        except InvalidInput:
            return None

    def _publish(self, location: Location) -> str:
        if self._uploader is None:
            return ""
        item = Message.decode(location.encoded, location.codec)
        try:
            (outcome,) = self._uploader.upload([Upload(item.id, "message", location.encoded)])
        except (UploadFailed, UploadRefused) as exc:
            outcome = exc
        return _failure("publishing", outcome)


def _tell(client: Client, url: str, location: Location) -> str:
    try:
        answer = client.post(url.rstrip("/") + PATH, location.encoded, headers=_HEADERS)
    except (PeerFailed, PeerRefused) as exc:
        return _failure(url, exc)
    return "" if answer.ok else f"{url}: status {answer.status}"


def _failure(what: str, outcome: Outcome | SchedulerError) -> str:
    return "" if isinstance(outcome, str) else f"{what}: {outcome.detail}"
