from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from protocol.errors import StoreInUse, StoreInvalid
from storage import StoreSettings, open_writer
from storage.cache import Cache
from storage.tables import FOREIGN, LOCATIONS
from tests.storage.programs import Program
from tests.storage.schedules import Schedule

MEBIBYTE = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def cache(folder):
    with Cache(folder) as cache:
        yield cache


def test_what_was_put_is_there_after_reopening(folder) -> None:
    """Tables are apart, and runs are in the order of their keys."""
    with Cache(folder) as cache:
        assert cache.put(FOREIGN, {b"b": b"2", b"a": b"1", b"c": b"3"})
    with Cache(folder) as cache:
        assert cache.get(FOREIGN, b"a") == b"1"
        assert cache.get(LOCATIONS, b"a") is None
        assert cache.run(FOREIGN, b"b", 5) == [(b"b", b"2"), (b"c", b"3")]
        assert cache.run(FOREIGN, b"a", 1) == [(b"a", b"1")]
        assert cache.run(FOREIGN, b"d", 5) == []
        assert cache.failures == 0


def test_a_cleared_table_is_empty_and_others_are_not(cache) -> None:
    """Schedules make room; locations stay."""
    cache.put(FOREIGN, {b"a": b"1"})
    cache.put(LOCATIONS, {b"a": b"1"})
    assert cache.clear(FOREIGN)
    assert cache.size(FOREIGN) == (0, 0)
    assert cache.size(LOCATIONS)[0] == 1


def test_only_its_owner_can_read_it(cache) -> None:
    """Like the store, though nothing in it is secret."""
    files = [cache.folder, *cache.folder.rglob("*")]
    assert [file for file in files if file.stat().st_mode & 0o077] == []


def test_it_has_one_writer(cache) -> None:
    """Comparing nonces would be worth nothing with two."""
    with pytest.raises(StoreInUse):
        Cache(cache.folder)


@pytest.mark.parametrize("content", [b"", b"no database", b"\0" * 65536])
def test_a_damaged_cache_is_made_again(folder, content) -> None:
    """Whatever it held can be fetched again, so it keeps no node from starting."""
    with Cache(folder) as cache:
        cache.put(FOREIGN, {b"a": b"1"})
    (folder / "lmdb" / "data.mdb").write_bytes(content)
    with Cache(folder) as cache:
        assert cache.get(FOREIGN, b"a") is None
        assert cache.put(FOREIGN, {b"a": b"2"})


def test_a_folder_that_cannot_be_one_is_named(tmp_path) -> None:
    """The operator is told which."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreInvalid, match="file"):
        Cache(tmp_path / "file" / "cache")


def test_a_full_database_keeps_nothing_more_and_fails_nobody(folder) -> None:
    """All of a put or none of it; what was there before can be read."""
    with Cache(folder, max_bytes=MEBIBYTE) as cache:
        assert cache.put(FOREIGN, {b"a": b"1"})
        assert not cache.put(FOREIGN, {b"b": b"2", b"c": bytes(2 * MEBIBYTE)})
        assert cache.get(FOREIGN, b"b") is None
        assert cache.get(FOREIGN, b"a") == b"1"
        assert cache.failures == 1
        assert cache.put(FOREIGN, {b"b": b"2"})


def test_a_disk_with_little_room_is_left_to_the_store(folder, disk) -> None:
    """The cache stops before the store has to, and goes on when there is room again."""
    with Cache(folder) as cache:
        disk.free = 300 * MEBIBYTE
        assert not cache.put(FOREIGN, {b"a": b"1"})
        disk.free = 600 * MEBIBYTE
        assert cache.put(FOREIGN, {b"a": b"1"})


def test_a_closed_cache_is_an_empty_one(folder) -> None:
    """Whoever comes late is told nothing and harmed by nothing."""
    cache = Cache(folder)
    cache.put(FOREIGN, {b"a": b"1"})
    cache.close()
    cache.close()
    assert cache.get(FOREIGN, b"a") is None
    assert cache.run(FOREIGN, b"a", 1) == []
    assert cache.size(FOREIGN) == (0, 0)
    assert not cache.put(FOREIGN, {b"a": b"1"})
    assert not cache.clear(FOREIGN)


def test_it_can_be_opened_again_at_once(folder) -> None:
    """Closing gives the lock up."""
    for number in range(3):
        with Cache(folder) as cache:
            assert cache.put(FOREIGN, {b"a": b"%d" % number})


def test_threads_share_it(cache) -> None:
    """Readers and writers do not wait for each other longer than a commit."""

    def write(name: bytes) -> None:
        for number in range(20):
            cache.put(FOREIGN, {name + b"%02d" % number: name})
            cache.get(FOREIGN, name)

    threads = [threading.Thread(target=write, args=(name,)) for name in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.size(FOREIGN)[0] == 60
    assert cache.failures == 0


def test_a_forked_child_cannot_use_it(cache) -> None:
    """The database is its parent's."""
    cache.put(FOREIGN, {b"a": b"1"})
    child = os.fork()
    if not child:
        os._exit(cache.get(FOREIGN, b"a") is not None)
    assert os.waitpid(child, 0)[1] == 0
    assert cache.get(FOREIGN, b"a") == b"1"


@pytest.mark.guarantee("S11")
def test_a_cache_that_cannot_be_written_fences_nobody(small_disk) -> None:
    """It is a database of its own: a commit of it that fails leaves the store as it was."""
    tiny = StoreSettings(min_free_bytes=0)
    schedule = Schedule()
    with (
        open_writer(small_disk.folder / "store", settings=tiny) as journal,
        Cache(small_disk.folder / "store" / "cache", 64 * MEBIBYTE, min_free_bytes=0) as cache,
    ):
        journal.append(schedule.stored(2))
        small_disk.fill()
        assert not cache.put(FOREIGN, {b"a": bytes(MEBIBYTE)})
        assert cache.failures == 1
        small_disk.clear()
        journal.append(schedule.stored(2))
        assert journal.head(schedule.process).stored == 3
        assert cache.put(FOREIGN, {b"a": b"1"})


COUNT = """
import sys
from storage.cache import Cache
from storage.tables import FOREIGN

with Cache(sys.argv[1], held=True) as cache:
    print("open", flush=True)
    sys.stdin.readline()
    for _ in range(100):
        cache.replace(FOREIGN, b"n", lambda was: b"%d" % (int(was or b"0") + 1))
    print(cache.failures, flush=True)
"""

STAY = """
import sys
from storage.cache import Cache
from storage.tables import FOREIGN

def stay(was):
    print("inside", flush=True)
    sys.stdin.readline()

Cache(sys.argv[1], held=True).replace(FOREIGN, b"n", stay)
"""


def test_programs_of_one_node_share_a_cache_that_is_lent(folder) -> None:
    """They replace records one after the other; another node is kept out."""
    with Cache(folder) as holder:
        holder.lend()
        assert holder.get(FOREIGN, b"n") is None
        with pytest.raises(StoreInUse):
            Cache(folder)
        with Program(COUNT, folder) as one, Program(COUNT, folder) as other:
            assert (one.line(), other.line()) == ("open", "open")
            one.go_on()
            other.go_on()
            assert (one.line(), other.line()) == ("0", "0")
    with Cache(folder) as cache:
        assert cache.get(FOREIGN, b"n") == b"200"


def test_a_program_that_is_killed_while_it_writes_holds_up_nobody(folder) -> None:
    """What it was about to replace stays, and the others go on writing."""
    with Cache(folder) as holder:
        assert holder.put(FOREIGN, {b"n": b"1"})
        holder.lend()
        with Program(STAY, folder) as stays:
            assert stays.line() == "inside"
            stays.kill()
        with Cache(folder, held=True) as cache:
            assert cache.replace(FOREIGN, b"n", lambda was: (was or b"") + b"2")
            assert cache.get(FOREIGN, b"n") == b"12"


def test_only_its_holder_makes_a_damaged_cache_again(folder) -> None:
    """A program that shares it says that it cannot be used."""
    with Cache(folder) as holder:
        holder.lend()
        (folder / "lmdb" / "data.mdb").write_bytes(b"damaged" * 4096)
        with pytest.raises(StoreInvalid):
            Cache(folder, held=True)


def test_what_a_change_raises_is_passed_on_and_changes_nothing(cache) -> None:
    """Whoever replaces a record may refuse to."""
    cache.put(FOREIGN, {b"n": b"1"})

    def refuse(_was: bytes | None) -> bytes | None:
        raise KeyError

    with pytest.raises(KeyError):
        cache.replace(FOREIGN, b"n", refuse)
    assert not cache.replace(FOREIGN, b"n", lambda _was: None)
    assert (cache.get(FOREIGN, b"n"), cache.failures) == (b"1", 0)
