"""Whether what a node needs is there and usable; looking changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from node.checkup import machine, peers, stored
from node.checkup.check import Check
from node.config import Config


def checks(config: Config) -> Iterator[Check]:
    """Yield what there is to look at for a configuration."""
    first, *others = config.store.wallets
    yield Check("wallet", partial(machine.first_wallet, first))
    yield from (Check("wallet", partial(machine.wallet, file)) for file in others)
    yield Check("store", partial(stored.store, config))
    yield Check("disk", partial(machine.disk, config))
    yield Check("open files", machine.open_files)
    yield Check("address", partial(machine.address, config))
    if config.server.tls_certificate:
        yield Check("certificate", partial(machine.certificate, config))
    if config.bundler.url:
        yield Check("bundler", partial(peers.reached, config.bundler.url))
    if config.gateway.url:
        yield Check("gateway", partial(peers.gateway, config.gateway.url))
    if config.server.public_url:
        yield Check("public URL", partial(peers.public_url, config))
    yield from (Check("peer", partial(peers.reached, url)) for url in config.peers.notify)
