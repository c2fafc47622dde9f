"""What all routes of a running node share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from actors import Scheduler
from actors.blocks import BlockClock
from actors.lookahead import Lookahead
from node.http.stream.streams import Streams
from protocol.wallet import Wallet

if TYPE_CHECKING:
    from node.config import Config
    from node.limits import SignerRate
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
        wallets: those it signs with; the first is the operator's.
        blocks: the newest known block.
        finder: tells who schedules a process.
        remote: schedules of other schedulers.
        locations: where schedulers are to be found.
        lookahead: reads schedules in order, ahead of those who ask.
        signers: how many messages each signer may have scheduled.
        metrics: what is counted.
        streams: event streams that are open.
    """

    config: Config
    scheduler: Scheduler
    wallets: tuple[Wallet, ...]
    blocks: BlockClock
    finder: Finder
    remote: RemoteSchedules
    locations: Locations
    lookahead: Lookahead
    signers: SignerRate
    metrics: Metrics
    streams: Streams = field(default_factory=Streams)

    @property
    def operator(self) -> Wallet:
        """The wallet that signs replies and location records."""
        return self.wallets[0]
