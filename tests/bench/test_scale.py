from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench.accounting import Unaccounted
from bench.items import Mail, Stranger
from bench.known import Known, known
from bench.scale_run import Order, run
from protocol.wallet import Wallet
from storage import open_reader
from storage.placement import shard_of

PROCESSES = 30
TINY = ["--processes", str(PROCESSES), "--live", "4", "--pairs", "3", "--seconds", "0.1"]

pytestmark = pytest.mark.usefixtures("ready_keys")


@pytest.fixture
def found(tmp_path: Path) -> Known:
    return known(tmp_path / "data", PROCESSES, 1, lambda _: None)


@pytest.fixture
def order(found: Known, user_wallet: Wallet) -> Order:
    """What a program of the measurement is told, small."""
    mail = Mail(Stranger(user_wallet), found.wallet.address)
    first, second, third = found.processes[0][:3]
    return Order(
        started=time.monotonic(),
        store=found.store,
        shards=0,
        wallet=found.wallet,
        stranger=user_wallet,
        live=mail.messages([first], 2),
        pairs=mail.messages([second], 2),
        uniform=mail.messages([first, third], 10),
        seconds=60.0,
    )


@pytest.mark.parametrize("shards", [0, 2])
def test_scale_opens_the_store_in_fresh_programs(report, shards: int) -> None:
    """`bench scale` reports a program that finds no page of the store, and one that finds some."""
    found, printed = report("scale", *TINY, "--shards", str(shards))
    assert (found["processes"], found["shards"]) == (PROCESSES, shards)
    for opened in (found["cold"], found["warm"]):
        assert 0 < opened["opening"]["seconds"] < opened["opening"]["program_seconds"]
        assert opened["opening"]["seconds"] < opened["opening"]["first_seconds"]
        assert opened["live_processes"] == [4] * max(1, shards)
        assert [each["own"] <= each["rss"] for each in opened["live"]] == [True] * max(1, shards)
        assert opened["latency"]["cold_p50_ms"] <= opened["latency"]["cold_p99_ms"]
        assert opened["uniform"]["per_second"] > 0
    assert "cold to warm" in printed


def test_the_store_of_known_processes_is_made_once(found: Known, tmp_path: Path) -> None:
    """The next run uses the same store and key."""
    again = known(tmp_path / "data", PROCESSES, 1, lambda _: None)
    assert found.written_per_second > 0
    assert again.written_per_second is None
    assert again.processes == found.processes
    assert again.wallet.address == found.wallet.address


def test_each_process_lies_where_the_product_looks_for_it(tmp_path: Path) -> None:
    """Processes written in bulk are spread by the product's own rule, and by the key it holds."""
    found = known(tmp_path, PROCESSES, 2, lambda _: None)
    assert [len(part) for part in found.processes] == [PROCESSES // 2] * 2
    for shard, part in enumerate(found.processes):
        assert {shard_of(process, 2) for process in part} == {shard}
        with open_reader(found.store, shard=shard) as reader:
            terms = [reader.head(process).terms for process in part]
            assert {signer for each in terms for signer in each.signers} == {found.wallet.address}


def test_what_a_program_promised_is_counted(order: Order) -> None:
    """A run holds only when the store has exactly as many new slots as were promised."""
    assert run(order).live_processes == [1]
    # The same messages get the slots that they have.
    with pytest.raises(Unaccounted, match="14 slots more"):
        run(order)
