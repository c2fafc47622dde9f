"""Those that the configuration names, and how strangers are spoken to."""

from __future__ import annotations

from contextlib import ExitStack

from actors.blocks import BlockClock, OfflineBlockClock, PolledBlockClock
from actors.uploader import FolderUploader, Uploader
from node.config import Config, ConfigInvalid
from node.peers.bundler import BundlerUploader
from node.peers.client import Client
from node.peers.gateway import Gateway
from node.peers.rules import Rules
from protocol.errors import PeerRefused

PUBLISHED = "published"
"""Folder inside the store that items are published to where no bundler is configured."""


class Peers:
    """Whom a node speaks to: those that the operator named, and whoever a request names.

    Attributes:
        strangers: asks whoever a request names.
        trusted: asks those that the operator named.
        gateway: where Arweave is asked, if anywhere.
        uploader: where items are published; can be sent to a spawned program.
        blocks: knows the newest block, once it is started; likewise.
    """

    def __init__(self, config: Config, closing: ExitStack) -> None:
        """Prepare; nothing is contacted. What has to be closed is left to `closing`.

        Raises:
            ConfigInvalid: an address cannot be used.
        """
        asked = config.peers
        rules = Rules(
            ports=frozenset(asked.ports),
            allow_private=asked.allow_private,
            timeout_seconds=asked.timeout_seconds,
            max_answer_bytes=asked.max_answer_bytes,
        )
        self.strangers = closing.enter_context(Client(rules))
        # Two clients: nobody else's URL gets the trust that these have.
        self.trusted = closing.enter_context(Client(_trusting(rules, config)))
        self.gateway = Gateway(self.trusted, config.gateway.url) if config.gateway.url else None
        self.uploader = self._uploader(config, closing)
        self.blocks = self._blocks(config)

    def _uploader(self, config: Config, closing: ExitStack) -> Uploader:
        if not config.bundler.url:
            return FolderUploader(config.store.data / PUBLISHED)
        uploader = BundlerUploader(self.trusted, config.bundler.url)
        closing.callback(uploader.close)
        return uploader

    def _blocks(self, config: Config) -> BlockClock:
        if self.gateway is None:
            return OfflineBlockClock()
        interval = config.gateway.block_interval_seconds
        return PolledBlockClock(self.gateway.current_block, interval)


def _trusting(rules: Rules, config: Config) -> Rules:
    named = {
        "bundler.url": (config.bundler.url,),
        "gateway.url": (config.gateway.url,),
        "peers.notify": config.peers.notify,
    }
    for name, urls in named.items():
        if any(mark in url for url in urls for mark in "?#"):
            # A path is put behind it; and what it says may be a secret.
            raise ConfigInvalid(f"{name}: an address here has no query and no fragment")
        try:
            rules = rules.trusting(*filter(None, urls))
        except PeerRefused as exc:
            raise ConfigInvalid(f"{name}: {exc.detail}") from None
    return rules
