"""Fixtures that every floor uses."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from protocol.wallet import Wallet
from tests.disks import SmallDisk, StatedDisk, mounted

# How long an example takes says more about the machine than about the program.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_configure() -> None:
    """Before the workers start: all of them have to find the same tests, by the same names."""
    os.environ["AO_CRASH_SEED"] = os.environ.get("AO_CRASH_SEED") or str(secrets.randbits(32))


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
