"""Fixtures that every floor uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.wallet import Wallet
from tests.disks import SmallDisk, StatedDisk, mounted


@pytest.fixture(scope="session")
def wallet() -> Wallet:
    """The scheduler's wallet."""
    return Wallet.generate()


@pytest.fixture(scope="session")
def user_wallet() -> Wallet:
    """The wallet of somebody who sends messages."""
    return Wallet.generate()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> StatedDisk:
    """What every filesystem says about its free space."""
    disk = StatedDisk()
    monkeypatch.setattr(os, "statvfs", disk.statvfs)
    return disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A real disk that can be filled up."""
    with mounted(tmp_path / "disk") as small_disk:
        yield small_disk
