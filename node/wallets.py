"""The wallets of a node, the first of which it makes itself."""

from __future__ import annotations

from pathlib import Path

from actors.events import log
from protocol.wallet import Wallet


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
