from __future__ import annotations

import pytest

from protocol.assignment import LEGACY_VARIANT
from protocol.errors import StaleLocation
from protocol.ids import Id
from protocol.location import NO_NONCE, Location
from storage.cache import Cache
from storage.locations import LocationTable
from storage.tables import LOCATIONS

URL = "https://node.example"
NOW = 1_700_000_000_000
WEEK = 604_800_000


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache") as cache:
        yield cache


@pytest.fixture
def table(cache) -> LocationTable:
    return LocationTable(cache)


def test_the_newest_record_of_each_signer_is_kept(table, wallet, user_wallet) -> None:
    """Records of others are not touched by it."""
    first, newer = (Location.sign(wallet, URL, nonce) for nonce in (1, 5))
    other = Location.sign(user_wallet, URL, 3)
    assert all(table.keep(record, NOW) for record in (first, other, newer))
    assert table.newest(wallet.address).location == newer
    assert table.nonce(wallet.address) == 5
    assert table.nonce(user_wallet.address) == 3


@pytest.mark.guarantee("S11")
@pytest.mark.parametrize("nonce", [0, 4, 5])
def test_an_old_record_cannot_be_replayed(table, wallet, nonce) -> None:
    """Nonces only rise, also those of a record that has expired."""
    table.keep(Location.sign(wallet, URL, 5, 1), NOW)
    with pytest.raises(StaleLocation):
        table.keep(Location.sign(wallet, "https://old.example", nonce), NOW + WEEK)
    assert table.newest(wallet.address).location.url == URL


def test_a_record_that_was_asked_for_lives_again(table, wallet) -> None:
    """The same nonce is no step back when the gateway still says it; a lower one is."""
    record = Location.sign(wallet, URL, 5, 1000)
    table.keep(record, NOW)
    assert table.keep(record, NOW + 5000, refresh=True)
    assert not table.newest(wallet.address).expired(NOW + 5500)
    with pytest.raises(StaleLocation):
        table.keep(Location.sign(wallet, URL, 4), NOW, refresh=True)


def test_a_record_without_a_nonce_replaces_only_its_like(table, wallet) -> None:
    """A legacy record is the newest only until there is one that says so itself."""
    legacy = Location.sign(wallet, URL, 0, 1000, LEGACY_VARIANT)
    assert table.keep(legacy, NOW, refresh=True)
    assert table.nonce(wallet.address) == NO_NONCE
    assert table.keep(Location.sign(wallet, URL, 0), NOW)
    with pytest.raises(StaleLocation):
        table.keep(legacy, NOW, refresh=True)


@pytest.mark.parametrize(
    ("now", "expired"),
    [(NOW, False), (NOW + 999, False), (NOW + 1000, True), (NOW - 1, True)],
)
def test_a_record_expires(table, wallet, now, expired) -> None:
    """After its time to live, or when the clock went back before it came."""
    table.keep(Location.sign(wallet, URL, 5, 1000), NOW)
    assert table.newest(wallet.address).expired(now) is expired


def test_a_full_table_takes_no_more_signers(cache, wallet, user_wallet) -> None:
    """Strangers cannot fill the disk; those known can still move."""
    table = LocationTable(cache, max_locations=1)
    assert table.keep(Location.sign(wallet, URL, 1), NOW)
    assert not table.keep(Location.sign(user_wallet, URL, 1), NOW)
    assert table.newest(user_wallet.address) is None
    assert table.keep(Location.sign(wallet, URL, 2), NOW)


def test_a_damaged_record_is_none(cache, table, wallet) -> None:
    """It is looked up again."""
    table.keep(Location.sign(wallet, URL, 1), NOW)
    record = cache.get(LOCATIONS, wallet.address)
    cache.put(LOCATIONS, {wallet.address: record[:-1] + bytes([record[-1] ^ 1])})
    assert table.newest(wallet.address) is None
    assert table.nonce(wallet.address) == NO_NONCE


def test_a_request_is_remembered(table) -> None:
    """One that was obeyed is known again."""
    request = Id(b"\x07" * 32)
    assert not table.obeyed(request)
    assert table.obey(request)
    assert table.obeyed(request)


def test_what_cannot_be_written_is_said(cache, table, wallet) -> None:
    """A record that would be forgotten is not reported as kept."""
    cache.close()
    assert not table.keep(Location.sign(wallet, URL, 1), NOW)
    assert not table.obey(Id(b"\x07" * 32))
