"""The scheduler of a node: of its own, or that of shards in other programs."""

from __future__ import annotations

from contextlib import ExitStack
from tempfile import TemporaryDirectory

from actors import Scheduler, SchedulingMode
from actors.observer import Observer, guarded
from actors.settings import Settings
from actors.shard import ShardOptions
from node.commons import Membership
from node.config import Config
from node.peers.configured import Peers
from protocol.terms import Defaults
from protocol.wallet import Wallet
from storage import StoreSettings
from storage.cache import Cache

PEERS = "peers"
"""Folder inside the store for what other nodes said."""


def own_scheduler(
    config: Config, wallets: tuple[Wallet, ...], peers: Peers, observer: Observer
) -> Scheduler:
    """Open the store in this program; raises as `Scheduler.open`."""
    asked = config.scheduling
    return Scheduler.open(
        config.store.data,
        wallets,
        asked.mode,
        uploader=peers.uploader,
        block_clock=peers.blocks,
        duplicates=asked.duplicates,
        chain=asked.chain,
        commitment_device=asked.commitment_device,
        deadline=asked.deadline_seconds,
        max_live_processes=asked.max_live_processes,
        observer=observer,
        accept_signature_types=asked.accept_signature_types,
        store=store_settings(config),
        settings=Settings(max_queued=config.limits.queue),
    )


def joined_scheduler(config: Config, member: Membership, observer: Observer) -> Scheduler:
    """Join the shards of a node, or read beside its writer; raises as `Scheduler.join`."""
    asked = config.scheduling
    if member.sockets is None:
        return Scheduler.open(config.store.data, mode=SchedulingMode.DISABLED)
    return Scheduler.join(
        config.store.data,
        member.sockets,
        asked.mode,
        deadline=asked.deadline_seconds,
        observer=observer,
        accept_signature_types=asked.accept_signature_types,
        store=store_settings(config),
    )


def shard_options(
    config: Config, wallets: tuple[Wallet, ...], peers: Peers, observer: Observer
) -> ShardOptions:
    """Return what a shard in another program is given; its values can be sent there."""
    asked = config.scheduling
    return ShardOptions(
        wallets=wallets,
        uploader=peers.uploader,
        block_clock=peers.blocks,
        duplicates=asked.duplicates,
        defaults=Defaults(asked.chain, asked.commitment_device),
        max_live_processes=asked.max_live_processes,
        observer=guarded(observer),
        settings=Settings(max_queued=config.limits.queue),
    )


def store_settings(config: Config) -> StoreSettings:
    """Return how the store is opened."""
    return StoreSettings(min_free_bytes=config.store.min_free_bytes)


def own_cache(config: Config, closing: ExitStack) -> Cache:
    """Open, for this program alone, what other nodes said; `closing` closes it.

    Raises:
        StoreInUse: another node has it.
    """
    if config.scheduling.mode is not SchedulingMode.DISABLED:
        folder = str(config.store.data / PEERS)
    else:
        # Beside a node that writes to the store: that one has the cache, too.
        folder = closing.enter_context(TemporaryDirectory(prefix="ao-scheduler-"))
    return closing.enter_context(Cache(folder))
