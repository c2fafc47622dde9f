"""The crypto floor: what one signature and one verification per assignment cost at least."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import mean, median

from protocol.codecs.signatures import RSA, signature_type
from protocol.wallet import Wallet

CORES = os.cpu_count() or 1

LONE_TIMES = 16
"""Repetitions whose median is the time of one: 25 ms of signatures before every slice."""

SAMPLE = b"what is signed and verified is a deep hash, 48 B"

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Slice:
    """One short look at how fast this machine is just now.

    Attributes:
        per_second: pieces of work a second, over all cores.
        cpu_seconds: CPU time of one piece.
    """

    per_second: float
    cpu_seconds: float


NOTHING = Slice(0.0, 0.0)
"""The floor of a run without cryptography."""


def measure(work: Work, seconds: float, threads: int = CORES) -> Slice:
    """Repeat `work` for `seconds` on one thread per core."""
    cpu_before = time.process_time()
    deadline = time.perf_counter() + seconds
    with ThreadPoolExecutor(threads) as pool:
        runs = list(pool.map(_repeat, [work] * threads, [deadline] * threads))
    cpu = time.process_time() - cpu_before
    return Slice(sum(n / lasted for n, lasted in runs), cpu / sum(n for n, _ in runs))


def average(slices: Iterable[Slice]) -> Slice:
    """Return the floor between slices that lie around a measurement."""
    slices = list(slices)
    return Slice(mean(s.per_second for s in slices), mean(s.cpu_seconds for s in slices))


def lone(work: Work, times: int = LONE_TIMES) -> float:
    """Return the median seconds of `work` when nothing else runs."""
    return median(_timed(work) for _ in range(times))


class Crypto:
    """The cryptography of one assignment, by the functions the product itself calls.

    As for a message of a stranger, the public key is taken from the owner's bytes each time.
    """

    def __init__(self, wallet: Wallet, stranger: Wallet) -> None:
        self._wallet = wallet
        self._check = signature_type(RSA).verify
        self._owner = stranger.owner
        self._signature = stranger.sign(SAMPLE)

    def sign(self) -> None:
        """Sign once."""
        self._wallet.sign(SAMPLE)

    def verify(self) -> None:
        """Verify once."""
        if not self._check(self._owner, SAMPLE, self._signature):
            raise RuntimeError("the floor's own signature does not verify")

    def both(self) -> None:
        """Sign once and verify once."""
        self.sign()
        self.verify()


def _repeat(work: Work, deadline: float) -> tuple[int, float]:
    count, began = 0, time.perf_counter()
    while (now := time.perf_counter()) < deadline or not count:
        work()
        count += 1
    return count, now - began


def _timed(work: Work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
