from __future__ import annotations

import multiprocessing
import pickle
import threading

import pytest

from actors import Stage
from bench.accounting import Unaccounted
from bench.bulk import entries
from bench.channel import channel_cost
from bench.instant import InstantShard
from bench.items import Forger, Mail
from bench.shards import ShardCase, Signing, _require_asked_once
from bench.stand_ins import NoSigner, times_asked
from protocol.codecs.assignment import commit
from protocol.ids import digest_id
from protocol.wallet import OWNER_BYTES, Wallet

FIELDS = ["signer", "shards", "processes", "in_flight", "per_second", "floor_ratio"]
TINY = ["--quick", "--seconds", "0.1", "--processes", "2", "--in-flight", "3", "--messages", "40"]


@pytest.mark.usefixtures("ready_keys")
def test_a_row_for_each_signer_and_number_of_shards(report, tmp_path) -> None:
    """`bench shards` writes the promised JSON, says what was not signed, and leaves no store."""
    found, printed = report("shards", *TINY, "--shards", "0", "--shards", "2")
    assert list(found) == ["cores", "floor_per_second", "channel_cpu_us", "rows"]
    assert [list(row) for row in found["rows"]] == [FIELDS] * 4
    cases = [(row["signer"], row["shards"]) for row in found["rows"]]
    assert cases == [("rsa", 0), ("rsa", 2), ("no-op", 0), ("no-op", 2)]
    assert {(row["processes"], row["in_flight"]) for row in found["rows"]} == {(2, 3)}
    assert all(row["per_second"] > 0 for row in found["rows"])
    ratios = [row["floor_ratio"] for row in found["rows"]]
    assert min(ratios[:2]) > 0
    assert ratios[2:] == [None, None]
    assert "NOTHING SIGNED" in printed
    assert list((tmp_path / "data").iterdir()) == []
    assert multiprocessing.active_children() == []


def test_the_shard_that_answers_at_once_answers_in_stages() -> None:
    """All that came meanwhile is released together, one stage after the other."""
    shard, seen, ends = InstantShard(), [], threading.Semaphore(0)
    items = Mail(Forger(), digest_id(b"nobody")).messages([digest_id(b"a process")], 2)
    shard.released = ends.release
    tickets = [shard.ticket(60.0) for _ in items]
    for number, ticket in enumerate(tickets):
        for stage in Stage:
            ticket.future(stage).add_done_callback(
                lambda _, stage=stage, number=number: seen.append((stage, number))
            )
    for item, ticket in zip(items, tickets, strict=True):
        shard.submit(item, ticket)
    shard.start()
    for _ in Stage:
        assert ends.acquire(timeout=30)
    shard.close()
    assert seen == [(stage, number) for stage in Stage for number in range(2)]
    assignments = [ticket.published.get() for ticket in tickets]
    assert [assignment.slot for assignment in assignments] == [0, 1]
    assert [assignment.message_id for assignment in assignments] == [m.message_id for m in items]


def test_the_channel_ends_with_its_program() -> None:
    """Every message comes back through the real front and service, and no program is left."""
    cost = channel_cost(30)
    assert cost.near_us > 0
    assert multiprocessing.active_children() == []


def test_a_signer_that_does_not_sign_shows_how_often_it_was_asked(wallet: Wallet) -> None:
    """Numbers of several programs are told apart, and the last of each says how many there were."""
    here, there = NoSigner(), pickle.loads(pickle.dumps(NoSigner()))
    numbers = [signer.sign(wallet, b"", "") for signer in (here, there) for _ in range(3)]
    assert {len(number) for number in numbers} == {OWNER_BYTES}
    assert len(set(numbers)) == 6
    assert times_asked(reversed(numbers)) == 6
    assert times_asked(numbers[:1]) == 1
    assert times_asked(numbers[2:3]) == 3


def test_what_was_signed_in_vain_fails_the_run(wallet: Wallet) -> None:
    """A signature that became no assignment would make the rate of a row something else."""
    signer = NoSigner()
    signed = [commit(wallet.owner, signer.sign(wallet, b"", "")) for _ in range(3)]
    _, like, _ = next(entries(wallet.owner, 1))
    promised = [like.signed([commitment]) for commitment in signed]
    _require_asked_once(promised)
    with pytest.raises(Unaccounted, match="3 signatures were asked for 2 assignments"):
        _require_asked_once(promised[1:])


def test_a_case_says_what_it_is() -> None:
    """What is announced names everything that a row depends on."""
    case = ShardCase(Signing.NO_OP, 2, 16, 64)
    assert str(case) == "no-op, shards: 2, processes: 16, in flight: 64"
