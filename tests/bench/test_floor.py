from __future__ import annotations

import threading

import pytest

from bench.floor import NOTHING, Crypto, Slice, average, lone, measure
from protocol.wallet import Wallet


def test_the_floor_is_measured_on_one_thread_per_core() -> None:
    """All threads work at the same moment, and each piece of work counts."""
    together = threading.Barrier(3, timeout=30)
    calls: list[str] = []

    def work() -> None:
        together.wait()
        calls.append(threading.current_thread().name)

    found = measure(work, seconds=0, threads=3)
    assert len(set(calls)) == 3
    assert found.per_second > 0


def test_the_floor_of_a_row_is_the_mean_around_it() -> None:
    """What lies before and after a row counts the same."""
    assert average([Slice(1000.0, 0.001), Slice(2000.0, 0.003)]) == Slice(1500.0, 0.002)
    assert average([NOTHING, NOTHING]) == NOTHING


def test_one_signature_is_timed_alone() -> None:
    """The work runs as often as asked, in the caller's own thread."""
    threads: list[threading.Thread] = []
    assert lone(lambda: threads.append(threading.current_thread()), times=5) >= 0
    assert threads == [threading.current_thread()] * 5


def test_the_floor_verifies_what_it_verifies(wallet: Wallet, user_wallet: Wallet) -> None:
    """A floor whose verification fails would be measured too fast, so it is an error."""
    crypto = Crypto(wallet, user_wallet)
    crypto.both()
    crypto._owner = wallet.owner
    with pytest.raises(RuntimeError, match="does not verify"):
        crypto.verify()
