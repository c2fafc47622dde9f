from __future__ import annotations

import pytest

from protocol.errors import WalletError
from tests.items import process_item


def test_scheduling_needs_a_wallet(opened) -> None:
    """Without a wallet only a disabled scheduler can be opened."""
    with pytest.raises(WalletError):
        opened(())


@pytest.mark.parametrize("given", ["wallet.json", None, [None], 7])
def test_what_is_no_wallet_is_named(opened, given) -> None:
    """A path is not taken for a wallet, and nothing was opened."""
    with pytest.raises(WalletError, match="not a wallet"):
        opened(given)
    assert opened().processes() == []


def test_a_scheduler_that_cannot_start_gives_the_store_up(opened) -> None:
    """Whatever is handed in may raise while opening; the next one opens the store."""

    def broken() -> int:
        raise OSError("no clock")

    with pytest.raises(OSError, match="no clock"):
        opened(clock=broken)
    assert opened().processes() == []


@pytest.mark.parametrize(
    "setting",
    [{"deadline": value} for value in (0, -1.0, float("nan"), float("inf"))]
    + [{"max_live_processes": value} for value in (0, -1)],
)
def test_numbers_that_nothing_runs_with_are_refused(opened, root, setting) -> None:
    """They are named before anything is opened."""
    with pytest.raises(ValueError, match=next(iter(setting))):
        opened(**setting)
    assert not root.exists()


def test_accepted_signature_types_are_added(opened, user_wallet, wallet) -> None:
    """RSA is always accepted: other types come beside it."""
    spawn = process_item(user_wallet, wallet.address)
    assert opened(accept_signature_types={2}).assign(spawn).slot == 0


def test_shards_and_modes_are_what_they_can_be(opened) -> None:
    """There are no fewer shards than none, and modes are named by their names."""
    for shards in (-1, 65):
        with pytest.raises(ValueError, match="shards"):
            opened(shards=shards)
    with pytest.raises(ValueError, match="eager"):
        opened(mode="eager")
