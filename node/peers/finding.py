"""Who schedules a process: this node, or another one and where."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from node.peers.locations import Locations
from protocol.assignment import VARIANT
from protocol.binding import Binding, bindings
from protocol.codecs.ans104 import Item
from protocol.errors import NotFound, PeerFailed, PeerRefused
from protocol.ids import Id
from protocol.location import require_url
from protocol.message import Message
from protocol.terms import Terms
from storage.foreign import ForeignTable

MAX_REMEMBERED = 10_000
"""Processes whose schedulers are kept in memory; they never change, so none grows old."""


@dataclass(frozen=True, slots=True)
class Local:
    """This node schedules the process, or would if it began here.

    Attributes:
        address: of the wallet of ours that the process names first.
    """

    address: Id


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another node schedules the process.

    Attributes:
        address: of the scheduler, None where a hint leads before the process is known. What
            it sends is believed only when a scheduler that the process names has signed it.
        url: where it is reached, without a slash at the end.
        variant: protocol it speaks, ao.N.1 or ao.TN.1.
    """

    address: Id | None
    url: str
    variant: str


class Host(Protocol):
    """What a `Finder` asks the scheduler of this node."""

    def has(self, process: Id) -> bool:
        """Tell whether the process has a stored slot here."""

    def terms(self, process: Id) -> Terms:
        """Return what the process fixed at slot 0."""


class Messages(Protocol):
    """Where published messages can be looked up: a gateway."""

    def find_message(self, message_id: Id) -> Item | None:
        """Return the item with this ID, its signature verified, or None."""


class Finder:
    """Tell who schedules a process. Safe to use from many threads; may ask a gateway."""

    def __init__(
        self,
        host: Host,
        ours: Collection[Id],
        locations: Locations,
        *,
        foreign: ForeignTable | None = None,
        gateway: Messages | None = None,
        own_url: str = "",
    ) -> None:
        """Take what to look things up in.

        Args:
            host: the scheduler of this node.
            ours: addresses of the wallets that it signs with.
            locations: where schedulers are.
            foreign: processes of others that were read before.
            gateway: asked for process messages that nothing here knows.
            own_url: this node's; nobody is sent from here to here.
        """
        self._host = host
        self._ours = frozenset(ours)
        self._locations = locations
        self._foreign = foreign
        self._gateway = gateway
        self._own_url = own_url.rstrip("/")
        self._lock = threading.Lock()
        # Guarded by the lock; least recently used first.
        self._remembered: OrderedDict[Id, tuple[Binding, ...]] = OrderedDict()

    def find(
        self, process: Id, *, hint: str | None = None, keys: Mapping[bytes, bytes] | None = None
    ) -> Local | Elsewhere:
        """Return who schedules a process.

        A process that is stored here is ours. Else its own message decides: the addresses it
        names, each looked up among the location records. Hints, the process's own before the
        caller's, only say where else to look.

        Args:
            process: ID of the process.
            hint: URL where the caller thinks it is scheduled.
            keys: committed keys of that very process's message, verified, if it is at hand.

        Raises:
            NoScheduler: the process names none.
            NotFound: the process is not known, or none of its schedulers has a known place.
            InvalidInput: the hint is no URL that can be used.
            PeerFailed: the gateway gave no answer.
        """
        if self._host.has(process):
            return Local(self._host.terms(process).signers[0])
        place = require_url(hint) if hint else ""
        named = self._named(process, keys, place)
        if named is None:
            return self._led_by(((None, place),))
        for binding in named:
            if binding.address in self._ours:
                return Local(binding.address)
        return self._located(named, place)

    def _named(
        self, process: Id, keys: Mapping[bytes, bytes] | None, place: str
    ) -> tuple[Binding, ...] | None:
        """Return the schedulers that the process names, None when only a hint is at hand."""
        with self._lock:
            named = self._remembered.get(process)
            if named is not None:
                self._remembered.move_to_end(process)
                return named
        if keys is None:
            keys = self._definition(process, ask=not place)
        if keys is None:
            if place:
                return None
            raise NotFound(f"process {process} is known neither here nor to the gateway")
        named = bindings(keys)
        with self._lock:
            self._remembered[process] = named
            if len(self._remembered) > MAX_REMEMBERED:
                self._remembered.popitem(last=False)
        return named

    def _definition(self, process: Id, *, ask: bool) -> Mapping[bytes, bytes] | None:
        first = self._foreign.entry(process, 0) if self._foreign else None
        if first is not None:
            return first.message.keys
        item = self._gateway.find_message(process) if self._gateway and ask else None
        if item is None:
            return None
        keys = Message.decode(item.encode()).keys
        if keys.get(b"type") != b"Process":
            raise NotFound(f"{process} is no process")
        return keys

    def _located(self, named: tuple[Binding, ...], place: str) -> Elsewhere:
        failure: PeerFailed | PeerRefused | None = None
        for binding in named:
            try:
                found = self._locations.find(binding.address)
            except NotFound:
                continue
            except (PeerFailed, PeerRefused) as exc:
                failure = exc
                continue
            if found.url != self._own_url:
                return Elsewhere(found.signer, found.url, found.variant)
        try:
            return self._led_by((*named, (None, place)))
        except NotFound:
            raise failure or NotFound("no scheduler of the process has a known place") from None

    def _led_by(self, hints: Iterable[tuple[Id | None, str]]) -> Elsewhere:
        for address, url in hints:
            # From here to here nobody is led, or he would come back for ever.
            if url and url != self._own_url:
                return Elsewhere(address, url, VARIANT)
        raise NotFound("the process is not scheduled here, and no hint leads elsewhere")
