from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from protocol.assignment import LEGACY_VARIANT, VARIANT
from protocol.codecs import ans104
from protocol.codecs.assignment import of_item, published
from protocol.commitment import ANS104, HTTPSIG
from protocol.entry import Entry
from protocol.schedule_check import check
from storage import open_writer
from storage.cache import Cache
from storage.foreign import ForeignTable
from storage.tables import FOREIGN, slot_key
from tests.foreign import process_of, schedule


@pytest.fixture(scope="module")
def entries(user_wallet, wallet) -> list[Entry]:
    """Six slots of somebody else's process."""
    return schedule(user_wallet, wallet, 6)


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache") as cache:
        yield cache


@pytest.fixture
def table(cache) -> ForeignTable:
    return ForeignTable(cache)


@pytest.mark.parametrize(
    ("chain", "device", "variant"),
    [
        ("hash-chain", ANS104, VARIANT),
        ("base-hashpath", HTTPSIG, VARIANT),
        ("legacy", ANS104, LEGACY_VARIANT),
    ],
)
def test_slots_come_back_as_they_were(table, user_wallet, wallet, chain, device, variant) -> None:
    """Every field and every signature, so that they verify again."""
    kept = schedule(user_wallet, wallet, 3, chain=chain, device=device, variant=variant)
    assert table.keep(kept)
    found = table.entries(process_of(kept), 0, 10)
    assert list(found) == kept
    check(process_of(kept), found, None, found[0].message.keys)


def test_an_assignment_in_a_form_of_its_own_stays_in_it(table, user_wallet, wallet) -> None:
    """The anchor that a scheduler unit drew at random is signed, and follows from nothing."""
    (entry,) = schedule(user_wallet, wallet, 1, chain="legacy", variant=LEGACY_VARIANT)
    written = ans104.parse(published(entry.assignment)[0][1])
    drawn = of_item(ans104.sign(replace(written, anchor=b"\x07" * 32), wallet))
    process = process_of([entry])
    table.keep([replace(entry, assignment=drawn)])
    found = table.entry(process, 0)
    assert published(found.assignment) == published(drawn)
    check(process, [found], None, found.message.keys)


def test_a_run_ends_at_the_first_gap(table, entries) -> None:
    """What lies behind it is found from there on."""
    process = process_of(entries)
    table.keep([*entries[:2], *entries[3:]])
    assert list(table.entries(process, 0, 10)) == entries[:2]
    assert list(table.entries(process, 3, 2)) == entries[3:5]
    assert table.entries(process, 2, 10) == ()
    assert table.entry(process, 2) is None
    assert table.entry(process, 5) == entries[5]


def test_processes_are_apart(table, entries, user_wallet, wallet) -> None:
    """A run never goes on into another process."""
    other = schedule(user_wallet, wallet, 2, named=f"{wallet.address},{user_wallet.address}")
    table.keep(entries)
    table.keep(other)
    assert list(table.entries(process_of(entries), 4, 10)) == entries[4:]
    assert list(table.entries(process_of(other), 0, 10)) == other


@pytest.mark.guarantee("S12")
def test_a_damaged_slot_is_fetched_again(cache, table, entries) -> None:
    """A flipped bit makes it absent, and the run ends before it."""
    table.keep(entries)
    key = slot_key(process_of(entries), 1)
    record = bytearray(cache.get(FOREIGN, key))
    record[100] ^= 1
    cache.put(FOREIGN, {key: bytes(record)})
    assert list(table.entries(process_of(entries), 0, 10)) == entries[:1]
    table.keep(entries[1:2])
    assert list(table.entries(process_of(entries), 0, 10)) == entries


def test_a_cache_that_is_full_starts_afresh(cache, entries) -> None:
    """What is read now is kept, what was read long ago is not."""
    table = ForeignTable(cache, max_bytes=32 << 10)
    process = process_of(entries)
    for entry in entries:
        table.keep([entry])
    table.keep(entries[:3])
    room = table.entries(process, 0, 10)
    assert room[:3] == tuple(entries[:3])
    small = ForeignTable(cache, max_bytes=1)
    assert not small.keep(entries[:3])
    assert cache.size(FOREIGN)[0] == 0


@pytest.mark.guarantee("S11")
def test_foreign_slots_are_none_of_the_store(tmp_path: Path, entries) -> None:
    """Nothing in the cache is seen by who reads the store, or by its verification."""
    with open_writer(tmp_path / "store") as journal, Cache(tmp_path / "store" / "cache") as cache:
        assert ForeignTable(cache).keep(entries)
        assert journal.processes() == []
        assert journal.process_count() == 0
    with open_writer(tmp_path / "store") as journal:
        assert journal.processes() == []
