"""Fixtures that every floor uses."""

from __future__ import annotations

import pytest

from protocol.wallet import Wallet


@pytest.fixture(scope="session")
def wallet() -> Wallet:
    """The scheduler's wallet."""
    return Wallet.generate()


@pytest.fixture(scope="session")
def user_wallet() -> Wallet:
    """The wallet of somebody who sends messages."""
    return Wallet.generate()
