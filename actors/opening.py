"""What has to be right, and what is started, before there is a scheduler."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from actors.shard import Shard, ShardOptions
from protocol.errors import WalletError
from protocol.wallet import Wallet
from storage.journal import Journal
from storage.layout import MAX_SHARDS

LONGEST_DEADLINE_SECONDS = threading.TIMEOUT_MAX / 2
"""What a thread can wait for, with the grace on top; infinity is more."""


def require_sensible(shards: int, deadline: float, max_live_processes: int) -> None:
    """Insist on numbers that a scheduler can run with.

    Raises:
        ValueError: one of them is none.
    """
    if not 0 <= shards <= MAX_SHARDS:
        raise ValueError(f"shards is a number from 0 to {MAX_SHARDS}, not {shards}")
    if not 0 < deadline <= LONGEST_DEADLINE_SECONDS:
        raise ValueError(f"deadline is a finite number of seconds above 0, not {deadline}")
    if max_live_processes < 1:
        raise ValueError(f"max_live_processes is at least 1, not {max_live_processes}")


def wallets_of(given: Wallet | Iterable[Wallet]) -> tuple[Wallet, ...]:
    """Return the wallets that somebody handed in, at least one.

    Raises:
        WalletError: they are none, or something else.
    """
    wallets = tuple(given) if isinstance(given, Iterable) else (given,)
    if not wallets:
        raise WalletError("a scheduler that schedules needs a wallet")
    if not all(isinstance(wallet, Wallet) for wallet in wallets):
        raise WalletError("not a wallet: Wallet.load(path) reads one from its file")
    return wallets


def started(journal: Journal, options: ShardOptions) -> Shard:
    """Start a shard in this program.

    Raises:
        Exception: whatever was handed in from outside raised; the store is given up then.
    """
    try:
        shard = Shard(journal, options)
        shard.start()
    except BaseException:
        journal.close()
        raise
    return shard
