"""A node of several programs: this one starts the others, watches them, and ends them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from actors import SchedulingMode
from actors.channel.folder import SocketFolder
from actors.settings import Settings
from actors.shards.child import ChildSpec
from actors.shards.orphans import wait_for_orphans
from actors.shards.program import shard_spec
from actors.shards.settings import SupervisionSettings
from actors.shards.supervisor import Supervisor
from node.commons import Commons, Membership
from node.config import Config
from node.limits.shares import share
from node.peers.configured import Peers
from node.scheduling import PEERS, shard_options, store_settings
from node.serving.ending import Ending
from node.serving.orders import GatewayOrder
from node.serving.reservation import Reservation
from node.serving.sockets import address_of
from node.serving.spawning import gateway_spec
from node.serving.tls import tls_of
from node.wallets import open_wallets
from protocol.errors import Closed
from protocol.wallet import Wallet
from storage.cache import Cache
from storage.creation import ensure_store
from storage.layout import Layout
from storage.unfinished import layout_for_writing

MARGIN_SECONDS = 10.0
"""What a program may take to end beyond the times that it gives others."""

GRACE_SECONDS = 1.0
"""How much longer than they have orphans are waited for."""


def run_programs(config: Config, shards: int, announce: Callable[[str], None]) -> None:
    """Serve a node from several programs, until this one is interrupted or told to terminate.

    The gateways answer what is under way, then the shards store what was accepted, and then it
    returns. A second signal ends all of them at once; a store survives SIGKILL.

    Args:
        config: the effective configuration.
        shards: programs that schedule; none of them where the node only reads.
        announce: told the node's address once every program is ready.

    Raises:
        OSError: the address cannot be listened on.
        SchedulerError: the node cannot be opened, or its programs cannot be kept running.
    """
    with Ending() as ending, ExitStack() as closing:
        # First, because it fails soonest; nobody listens there meanwhile.
        reserved = Reservation(config.server)
        closing.callback(reserved.close)
        tls_of(config.server)
        commons = Commons.create()
        closing.callback(commons.remove)
        wallets = open_wallets(config.store.wallets)
        shared = _Shared(config, reserved.port, wallets, commons, closing)
        shared.hold()
        fleet = Supervisor(shared.shards(shards), failed=ending.fail) if shards else None
        gateways = Supervisor(shared.gateways(), _patience(config), failed=ending.fail)
        for supervisor in filter(None, (fleet, gateways)):
            closing.callback(supervisor.stop)
            ending.hurried_by(partial(supervisor.stop, 0))
        _start(fleet, gateways)
        announce(address_of(config, reserved.port))
        ending.wait()


class _Shared:
    # What the programs are told, from one configuration.

    def __init__(
        self,
        config: Config,
        port: int,
        wallets: tuple[Wallet, ...],
        commons: Commons,
        closing: ExitStack,
    ) -> None:
        self._config = config
        self._port = port
        self._wallets = wallets
        self._commons = commons
        self._closing = closing
        self._sockets: SocketFolder | None = None

    def hold(self) -> None:
        # The cache is held here, so that it is this node's alone, and used by the gateways.
        self._closing.enter_context(Cache(self._cache)).lend()

    def shards(self, shards: int) -> list[ChildSpec]:
        root, settings = self._config.store.data, store_settings(self._config)
        # Here, because the gateways open it, too, and at the same time.
        ensure_store(Layout(root), shards, settings)
        layout_for_writing(root, shards)
        wait_for_orphans(root, shards, SupervisionSettings().orphan_seconds + GRACE_SECONDS)
        self._sockets = sockets = SocketFolder.create()
        self._closing.callback(sockets.remove)
        peers = Peers(self._config, self._closing)
        specs = []
        for shard in range(shards):
            observer = self._commons.observer(f"shard-{shard}")
            options = shard_options(self._config, self._wallets, peers, observer)
            specs.append(shard_spec(root, shard, shards, sockets, options, settings))
        return specs

    def gateways(self) -> list[ChildSpec]:
        gateways = self._config.server.gateways
        limits = share(self._config.limits, gateways)
        config = self._config.model_copy(update={"limits": limits})
        return [
            gateway_spec(number, GatewayOrder(config, self._port, self._member(number)))
            for number in range(gateways)
        ]

    @property
    def _cache(self) -> Path:
        if self._config.scheduling.mode is SchedulingMode.DISABLED:
            # Beside a node that writes to the store: that one has the cache, too.
            return self._commons.cache
        return self._config.store.data / PEERS

    def _member(self, number: int) -> Membership:
        return Membership(
            name=f"gateway-{number}",
            operator=self._wallets[0],
            addresses=tuple(wallet.address for wallet in self._wallets),
            cache=self._cache,
            sockets=self._sockets,
            commons=self._commons,
        )


def _start(fleet: Supervisor | None, gateways: Supervisor) -> None:
    # At the same time, because most of it is importing; the gateways wait for the shards.
    if fleet is None:
        gateways.start()
        return
    with ThreadPoolExecutor(1, "shards") as threads:
        shards = threads.submit(fleet.start)
        shards.add_done_callback(lambda done: gateways.stop(0) if done.exception() else None)
        try:
            gateways.start()
        except BaseException:
            fleet.stop(0)
            cause = shards.exception()
            if cause is None or isinstance(cause, Closed):
                raise
        shards.result()


def _patience(config: Config) -> SupervisionSettings:
    seconds = config.server.graceful_seconds + Settings().close_seconds + MARGIN_SECONDS
    return SupervisionSettings(stop_seconds=seconds)
