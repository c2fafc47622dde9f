from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import RateLimited
from node.limits.buckets import Buckets
from node.limits.levels import HEAD_BYTES, PLACES, OwnLevels, SharedLevels
from node.limits.rates import SignerRate
from protocol.ids import Id


class Clock:
    """Seconds that pass when they are told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_passes_and_then_the_rate(clock: Clock) -> None:
    """Two seconds' worth passes at once, and after it one token for each interval."""
    buckets = Buckets(10, clock=clock)
    assert [buckets.take("a") for _ in range(20)] == [0.0] * 20
    assert buckets.take("a") == pytest.approx(0.1)
    clock.now += 0.1
    assert buckets.take("a") == 0.0
    assert buckets.take("a") == pytest.approx(0.1)


def test_keys_do_not_share(clock: Clock) -> None:
    """What one key takes is not taken from another."""
    buckets = Buckets(0.5, clock=clock)
    assert buckets.take("a") == 0.0
    assert buckets.take("a") == pytest.approx(2.0)
    assert buckets.take("b") == 0.0


def test_asking_costs_nothing(clock: Clock) -> None:
    """Only taking and spending use a token up."""
    buckets = Buckets(1, burst_seconds=1, clock=clock)
    assert [buckets.wait("a"), buckets.wait("a"), buckets.take("a")] == [0.0] * 3
    assert buckets.wait("a") == pytest.approx(1.0)


def test_a_debt_is_waited_for(clock: Clock) -> None:
    """What is spent without being there delays the next token."""
    buckets = Buckets(1, burst_seconds=1, clock=clock)
    for _ in range(3):
        buckets.spend("a")
    assert buckets.wait("a") == pytest.approx(3.0)


@given(
    st.floats(0.1, 1000),
    st.lists(st.floats(0, 3), min_size=1, max_size=200),
)
def test_no_span_has_more_than_its_share(rate: float, pauses: list[float]) -> None:
    """However requests come, no span passes more than the burst and the rate allow."""
    clock = Clock()
    buckets, passed = Buckets(rate, clock=clock), []
    for pause in pauses:
        clock.now += pause
        if not buckets.take("a"):
            passed.append(clock.now)
    burst = max(2 * rate, 1)
    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            allowed = burst + (passed[last] - start) * rate
            assert last - first + 1 <= allowed * (1 + 1e-5) + 1e-5


def test_memory_is_bounded(clock: Clock) -> None:
    """Full buckets are forgotten first, then the key that was idle longest."""
    levels = OwnLevels(max_keys=3)
    buckets = Buckets(1, burst_seconds=1, levels=levels, clock=clock)
    buckets.spend("full")
    clock.now += 2
    for key in "abc":
        buckets.spend(key)
    assert len(levels) == 3
    buckets.spend("a")
    buckets.spend("d")
    assert len(levels) == 3
    assert [buckets.wait(key) for key in "bacd"] == [0.0, 2.0, 1.0, 1.0]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where gateways keep their levels, with room for eight keys."""
    SharedLevels.create(tmp_path / "levels", max_keys=PLACES)
    return tmp_path / "levels"


def test_gateways_share_the_tokens_of_each_key(file: Path, clock: Clock) -> None:
    """What one of them gives away, another one does not have any more."""
    one, other = (Buckets(10, levels=SharedLevels(file), clock=clock) for _ in range(2))
    assert [gateway.take("a") for gateway in (one, other) * 10] == [0.0] * 20
    assert one.take("a") == other.take("a") == pytest.approx(0.1)
    assert (one.take("b"), other.take(Id(b"a" * 32))) == (0.0, 0.0)
    clock.now += 0.1
    assert [one.take("a"), other.take("a")] == pytest.approx([0.0, 0.1])


def test_a_gateway_that_starts_again_remembers(file: Path, clock: Clock) -> None:
    """Starting again fills no bucket."""
    Buckets(1, burst_seconds=1, levels=SharedLevels(file), clock=clock).spend("a")
    assert Buckets(1, burst_seconds=1, levels=SharedLevels(file), clock=clock).wait("a") == 1.0


def test_shared_memory_is_bounded(file: Path, clock: Clock) -> None:
    """Where there is no place left, the least indebted key gives way, and no other."""
    buckets = Buckets(1, burst_seconds=1, levels=SharedLevels(file), clock=clock)
    size = file.stat().st_size
    for number in range(PLACES):
        for _ in range(number + 1):
            buckets.spend(str(number))
    buckets.spend("one more")
    waits = [buckets.wait(str(number)) for number in range(PLACES)]
    assert waits == [0.0, *map(float, range(2, PLACES + 1))]
    assert (buckets.wait("one more"), file.stat().st_size) == (1.0, size)


def test_where_a_key_stands_is_secret(tmp_path: Path, clock: Clock) -> None:
    """Each node puts keys elsewhere, and only its user can look."""
    marks = []
    for name in ("one", "other"):
        SharedLevels.create(tmp_path / name)
        Buckets(1, levels=SharedLevels(tmp_path / name), clock=clock).spend("a")
        marks.append((tmp_path / name).read_bytes()[HEAD_BYTES:])
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert marks[0] != marks[1]


def test_a_signer_is_refused_for_what_it_signed_only() -> None:
    """Asking for a signer costs it nothing; what was verified does, and it learns how long."""
    signer, other = Id(b"s" * 32), Id(b"o" * 32)
    rate = SignerRate(0.01)
    for _ in range(3):
        rate.require(signer)
    rate.charge(signer)
    with pytest.raises(RateLimited) as refused:
        rate.require(signer)
    assert 0 < refused.value.retry_after <= 100
    rate.require(other)


def test_a_rate_of_zero_is_no_limit() -> None:
    """Without a rate nobody waits."""
    rate, signer = SignerRate(0), Id(b"s" * 32)
    for _ in range(1000):
        rate.charge(signer)
    rate.require(signer)
