"""What all routes of a running node share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from actors import Scheduler
from actors.blocks import BlockClock
from actors.lookahead import Lookahead
from node.http.stream.streams import Streams
from protocol.ids import Id
from protocol.wallet import Wallet

if TYPE_CHECKING:
    from node.config import Config
    from node.limits import SignerRate
    from node.limits.levels import Levels
    from node.metrics import Metrics
    from node.peers.finding import Finder
    from node.peers.locations import Locations
    from node.peers.remote import RemoteSchedules


@dataclass(frozen=True, slots=True)
class Node:
    """A scheduler with everything around it that a route may need.

    Attributes:
        config: the effective configuration.
        scheduler: of this node's own processes.
        operator: the wallet that signs replies and location records.
        addresses: of all wallets that it signs assignments with; the operator's is the first.
        blocks: the newest known block.
        finder: tells who schedules a process.
        remote: schedules of other schedulers.
        locations: where schedulers are to be found.
        lookahead: reads schedules in order, ahead of those who ask.
        signers: how many messages each signer may have scheduled.
        metrics: what is counted.
        address_levels: how much of its rate each client has left; None for this program's own.
        streams: event streams that are open.
    """

    config: Config
    scheduler: Scheduler
    operator: Wallet
    addresses: tuple[Id, ...]
    blocks: BlockClock
    finder: Finder
    remote: RemoteSchedules
    locations: Locations
    lookahead: Lookahead
    signers: SignerRate
    metrics: Metrics
    address_levels: Levels | None = None
    streams: Streams = field(default_factory=Streams)
