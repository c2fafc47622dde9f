"""Other servers: whether they answer, and are what they should be."""

from __future__ import annotations

from node.checkup.check import NotWell
from node.config import Config
from node.peers.client import Answer, Client
from node.peers.gateway import Gateway
from node.peers.reasons import reason
from node.peers.rules import Rules
from protocol.wallet import Wallet

PATIENCE_SECONDS = 5.0
BROKEN = 500
"""Statuses from here on are the server's own failure."""


def reached(url: str) -> str:
    """Ask for its front page."""
    return f"{url} answers (status {_asked(url, url).status})"


def gateway(url: str) -> str:
    """Ask for the newest block."""
    with _client(url) as client:
        return f"{url} is at block {Gateway(client, url).current_block().height}"


def public_url(config: Config) -> str:
    """Ask who is at the URL that others are told."""
    url, wallet = config.server.public_url, config.store.wallets[0]
    answer = _asked(url, f"{url.rstrip('/')}/~meta@1.0/info")
    own = str(Wallet.load(wallet).address)
    if (answer.header(b"address") or b"").decode("latin-1") != own:
        raise NotWell(f"{url} leads to another node, or to none: {own} is not its address")
    return f"{url} leads to this node"


def _asked(url: str, page: str) -> Answer:
    with _client(url) as client:
        answer = client.get(page)
    if answer.status >= BROKEN:
        raise NotWell(f"{url} answers with {reason(answer)}")
    return answer


def _client(url: str) -> Client:
    return Client(Rules(timeout_seconds=PATIENCE_SECONDS).trusting(url))
