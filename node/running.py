"""Open a node: the scheduler and everything around it, as the configuration says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, TypeVar

from actors import Scheduler, SchedulingMode
from actors.events import log
from actors.lookahead import Lookahead
from actors.settings import Settings
from node.config import Config
from node.limits import SignerRate
from node.metrics import Metrics
from node.node import Node
from node.peers.configured import Peers
from node.peers.finding import Finder
from node.peers.locations import Locations
from node.peers.remote import RemoteSchedules
from protocol.wallet import Wallet
from storage import StoreSettings
from storage.cache import Cache
from storage.foreign import ForeignTable
from storage.locations import LocationTable

PEERS = "peers"
"""Folder inside the store for what other nodes said."""


class Closable(Protocol):
    """What has to be closed."""

    def close(self) -> None:
        """Give up what is held."""


C = TypeVar("C", bound=Closable)


@contextmanager
def open_node(config: Config) -> Iterator[Node]:
    """Open a node, and close it at the end of the block: what was accepted is finished first.

    The operator's wallet is created, for its owner's eyes only, when its file does not exist.

    Raises:
        SchedulerError: as `Scheduler.open`; or a wallet or an address cannot be used.
    """
    with ExitStack() as closing:
        yield _open(config, closing)


def _open(config: Config, closing: ExitStack) -> Node:
    wallets = open_wallets(config.store.wallets)
    peers, metrics = Peers(config, closing), Metrics()
    scheduler = closing.enter_context(_scheduler(config, wallets, peers, metrics))
    metrics.watch(scheduler)
    cache = closing.enter_context(Cache(_cache_folder(config, closing)))
    foreign, locations = ForeignTable(cache), _locations(config, wallets[0], peers, cache)
    return Node(
        config=config,
        scheduler=scheduler,
        wallets=wallets,
        blocks=peers.blocks,
        finder=Finder(
            scheduler,
            [wallet.address for wallet in wallets],
            locations,
            foreign=foreign,
            gateway=peers.gateway,
            own_url=config.server.public_url,
        ),
        remote=_closed_later(closing, _remote(config, peers, foreign)),
        locations=locations,
        lookahead=_closed_later(closing, Lookahead()),
        signers=SignerRate(config.limits.rate_per_signer),
        metrics=metrics,
    )


def open_wallets(files: tuple[Path, ...]) -> tuple[Wallet, ...]:
    """Load the wallets; create the first when its file does not exist.

    Raises:
        WalletError: one of them cannot be used.
    """
    operators = files[0]
    if not operators.exists():
        made = Wallet.generate()
        made.save(operators)
        log.warning("wallet_created", file=str(operators), address=made.address)
    return tuple(Wallet.load(file) for file in files)


def _closed_later(closing: ExitStack, opened: C) -> C:
    closing.callback(opened.close)
    return opened


def _scheduler(
    config: Config, wallets: tuple[Wallet, ...], peers: Peers, metrics: Metrics
) -> Scheduler:
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
        observer=metrics.observer,
        accept_signature_types=asked.accept_signature_types,
        store=StoreSettings(min_free_bytes=config.store.min_free_bytes),
        settings=Settings(max_queued=config.limits.queue),
    )


def _locations(config: Config, operator: Wallet, peers: Peers, cache: Cache) -> Locations:
    return Locations(
        LocationTable(cache),
        operator,
        gateway=peers.gateway,
        uploader=peers.uploader,
        client=peers.trusted,
        notify=config.peers.notify,
        time_to_live=int(config.peers.location_ttl_seconds * 1000),
    )


def _remote(config: Config, peers: Peers, foreign: ForeignTable) -> RemoteSchedules:
    return RemoteSchedules(peers.strangers, foreign, async_cache=config.peers.async_remote_cache)


def _cache_folder(config: Config, closing: ExitStack) -> Path:
    if config.scheduling.mode is not SchedulingMode.DISABLED:
        return config.store.data / PEERS
    # Beside a node that writes to the store: that one has the cache, too.
    return Path(closing.enter_context(TemporaryDirectory(prefix="ao-scheduler-")))
