"""Open a node: the scheduler and everything around it, as the configuration says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from actors import Scheduler
from actors.lookahead import Lookahead
from node.commons import Membership
from node.config import Config
from node.limits import SignerRate
from node.limits.levels import Levels
from node.metrics import Metrics
from node.metrics.programs import join
from node.node import Node
from node.peers.configured import Peers
from node.peers.finding import Finder
from node.peers.locations import Locations
from node.peers.remote import RemoteSchedules
from node.scheduling import joined_scheduler, own_cache, own_scheduler
from node.wallets import open_wallets
from protocol.ids import Id
from protocol.wallet import Wallet
from storage.cache import Cache
from storage.foreign import ForeignTable
from storage.locations import LocationTable


@contextmanager
def open_node(config: Config, member: Membership | None = None) -> Iterator[Node]:
    """Open a node, and close it at the end of the block: what was accepted is finished first.

    The operator's wallet is created, for its owner's eyes only, when its file does not exist.

    Args:
        config: the effective configuration.
        member: what makes this program one gateway of several programs; alone unless given.

    Raises:
        SchedulerError: as `Scheduler.open`; or a wallet or an address cannot be used.
    """
    with ExitStack() as closing:
        yield _open(config, member, closing)


class _Core(NamedTuple):
    # What differs between a program that does everything and one of several.
    operator: Wallet
    addresses: tuple[Id, ...]
    scheduler: Scheduler
    cache: Cache
    metrics: Metrics
    address_levels: Levels | None = None
    signer_levels: Levels | None = None


def _alone(config: Config, peers: Peers, closing: ExitStack) -> _Core:
    wallets, metrics = open_wallets(config.store.wallets), Metrics()
    scheduler = closing.enter_context(own_scheduler(config, wallets, peers, metrics.observer))
    addresses = tuple(wallet.address for wallet in wallets)
    return _Core(wallets[0], addresses, scheduler, own_cache(config, closing), metrics)


def _joined(config: Config, member: Membership, peers: Peers, closing: ExitStack) -> _Core:
    commons = member.commons
    # Before the first metric is made.
    join(commons.numbers, member.name)
    metrics = Metrics(commons.numbers)
    scheduler = closing.enter_context(joined_scheduler(config, member, metrics.observer))
    cache = closing.enter_context(Cache(member.cache, held=True))
    # A shard starts its own.
    peers.blocks.start()
    closing.callback(peers.blocks.stop)
    return _Core(
        member.operator,
        member.addresses,
        scheduler,
        cache,
        metrics,
        commons.addresses,
        commons.signers,
    )


def _open(config: Config, member: Membership | None, closing: ExitStack) -> Node:
    peers = Peers(config, closing)
    if member is None:
        core = _alone(config, peers, closing)
    else:
        core = _joined(config, member, peers, closing)
    core.metrics.watch(core.scheduler)
    foreign, locations = ForeignTable(core.cache), _locations(config, core, peers)
    remote = RemoteSchedules(peers.strangers, foreign, async_cache=config.peers.async_remote_cache)
    closing.callback(remote.close)
    lookahead = Lookahead()
    closing.callback(lookahead.close)
    return Node(
        config=config,
        scheduler=core.scheduler,
        operator=core.operator,
        addresses=core.addresses,
        blocks=peers.blocks,
        finder=_finder(config, core, peers, locations, foreign),
        remote=remote,
        locations=locations,
        lookahead=lookahead,
        signers=SignerRate(config.limits.rate_per_signer, core.signer_levels),
        metrics=core.metrics,
        address_levels=core.address_levels,
    )


def _finder(
    config: Config, core: _Core, peers: Peers, locations: Locations, foreign: ForeignTable
) -> Finder:
    return Finder(
        core.scheduler,
        core.addresses,
        locations,
        foreign=foreign,
        gateway=peers.gateway,
        own_url=config.server.public_url,
    )


def _locations(config: Config, core: _Core, peers: Peers) -> Locations:
    return Locations(
        LocationTable(core.cache),
        core.operator,
        gateway=peers.gateway,
        uploader=peers.uploader,
        client=peers.trusted,
        notify=config.peers.notify,
        time_to_live=int(config.peers.location_ttl_seconds * 1000),
    )
