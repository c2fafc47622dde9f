"""Fixtures of the tests of the protocol."""

from __future__ import annotations

import pytest

from protocol.codecs.httpsig_commitment import commit
from protocol.tabm import Tabm
from protocol.wallet import Wallet
from tests.protocol.signed import KEYS, NESTED


@pytest.fixture(scope="module")
def target(wallet: Wallet) -> bytes:
    """A process to send to."""
    return wallet.address.ascii


@pytest.fixture(scope="module")
def plain(user_wallet: Wallet, target: bytes) -> dict[bytes, bytes | Tabm]:
    """A signed message without nested ones."""
    return commit({**KEYS, b"target": target}, user_wallet)


@pytest.fixture(scope="module")
def linking(user_wallet: Wallet, target: bytes) -> dict[bytes, bytes | Tabm]:
    """A message with a nested one, of which only the ID is signed."""
    return commit({**KEYS, b"target": target, b"m": NESTED}, user_wallet)


@pytest.fixture(scope="module")
def bundling(user_wallet: Wallet, target: bytes) -> dict[bytes, bytes | Tabm]:
    """A message with a nested one that is signed in full."""
    return commit({**KEYS, b"target": target, b"m": NESTED}, user_wallet, bundle=True)
